using Microsoft.Extensions.Options;
using Stoa.Assistants.Engines;

namespace Stoa.Assistants;

/// <summary>Section <c>Assistants</c>.</summary>
internal sealed class AssistantsOptions
{
    public const string Section = "Assistants";

    /// <summary>
    /// The organization that new users belong to and that pays for their model calls. Absent: the oldest of the installation.
    /// </summary>
    public Guid? Organization { get; set; }

    /// <summary>
    /// Models that the processes ask, the first that can be served; names as clients write them, <c>provider/model</c> or an alias.
    /// </summary>
    public List<string> Models { get; set; } = [];

    /// <summary>The model that makes vectors of documents; absent: the first provider's own.</summary>
    public string? EmbeddingModel { get; set; }

    /// <summary>The model that writes down what users say; absent: the first provider's own.</summary>
    public string? SpeechModel { get; set; }

    /// <summary>How much jobs may ask models; absent: as much as they do.</summary>
    public List<EngineLimit> EngineLimits { get; set; } = [];
}

internal sealed class AssistantsOptionsValidator : IValidateOptions<AssistantsOptions>
{
    public ValidateOptionsResult Validate(string? name, AssistantsOptions options) =>
        options.EngineLimits.Exists(limit => limit.CallsPerMinute is < 0 or > 1_000_000 || limit.CallsAtOnce is < 0 or > 1_000_000)
            ? ValidateOptionsResult.Fail(
                $"{nameof(options.EngineLimits)}: CallsPerMinute and CallsAtOnce must be between 0, which is no limit, and 1000000")
            : ValidateOptionsResult.Success;
}
