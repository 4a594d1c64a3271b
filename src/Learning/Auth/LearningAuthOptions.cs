using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Stoa.Platform.Identity;

namespace Stoa.Learning.Auth;

internal enum LearningAuthMode
{
    /// <summary>The session cookie of the front end, or a bearer token.</summary>
    Session,

    /// <summary>Whoever a request says it comes from, as the original has it: for migration and for comparing with it.</summary>
    Open,
}

/// <summary>Section <c>Learning:Auth</c>.</summary>
internal sealed class LearningAuthOptions
{
    public const string Section = "Learning:Auth";

    public LearningAuthMode Mode { get; set; }

    /// <summary>
    /// Secrets by which the front end's server calls below <c>/learning/_svc/{secret}</c>, where it cannot reach the internal listener;
    /// several while one is replaced. Without any, nobody does.
    /// </summary>
    public List<string> ServiceTokens { get; set; } = [];
}

internal sealed class LearningAuthOptionsValidator(IHostEnvironment environment) : IValidateOptions<LearningAuthOptions>
{
    public ValidateOptionsResult Validate(string? name, LearningAuthOptions options)
    {
        for (var i = 0; i < options.ServiceTokens.Count; i++)
        {
            if (SharedSecret.RuleBroken(options.ServiceTokens[i], environment) is { } rule)
            {
                return ValidateOptionsResult.Fail($"ServiceTokens:{i} {rule}");
            }
        }
        return options.Mode == LearningAuthMode.Open && environment.IsProduction()
            ? ValidateOptionsResult.Fail("Mode must not be Open in Production: everybody could be anybody")
            : ValidateOptionsResult.Success;
    }
}
