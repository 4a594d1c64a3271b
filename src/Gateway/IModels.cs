using System.Text.Json;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway;

/// <summary>
/// Models, for the other modules of this process. Each question takes the way of a client's call: providers and their keys, fallbacks of
/// an alias, retries, the organization's limits and budgets, usage and cost.
/// </summary>
public interface IModels
{
    /// <summary>
    /// The first of these models that this organization can be served with. Else one of the first provider of the settings: the first that
    /// is listed of it, or the usual one of its kind. The demo only where there is nothing else; null when there is no model at all.
    /// </summary>
    /// <param name="wanted">Names as clients write them, <c>provider/model</c> or an alias.</param>
    string? Pick(Guid organizationId, params IReadOnlyList<string> wanted);

    /// <summary>Asks a model, and reads its whole answer.</summary>
    /// <param name="onText">
    /// Given, the answer is streamed: called with each piece as it comes, and waited for. Nothing is asked again once it was called.
    /// </param>
    /// <exception cref="Stoa.Platform.Http.Failure">The model did not answer, or not to its end.</exception>
    Task<ModelReply> AskAsync(ModelQuestion question, Func<string, ValueTask>? onText, CancellationToken ct);
}

/// <param name="OrganizationId">Whose limits, budgets and provider keys count, and who is shown the usage.</param>
/// <param name="Purpose">What the usage is listed under: <c>learning.tutor</c>.</param>
/// <param name="RequestId">Stands in usage and logs.</param>
public sealed record ModelQuestion(Guid OrganizationId, string Model, string Purpose, string RequestId)
{
    /// <summary>The text of ours that says what to do, apart from everything that people have written.</summary>
    public string Instructions { get; init; } = "";

    public required IReadOnlyList<ModelTurn> Turns { get; init; }

    /// <summary>The answer is a JSON object of this schema; what a model makes of that is for the caller to check.</summary>
    public ModelSchema? Schema { get; init; }

    public int? MaxOutput { get; init; }

    /// <summary>Null for the model's own, which is all that reasoning models take: they are not told.</summary>
    public double? Temperature { get; init; }
}

public sealed record ModelSchema(string Name, JsonElement Schema);

public enum ModelSpeaker
{
    Person,
    Model,
}

public sealed record ModelTurn(ModelSpeaker Speaker, params IReadOnlyList<ModelPart> Parts);

/// <summary>One piece of a turn.</summary>
public sealed class ModelPart
{
    private ModelPart(Part part) => Part = part;

    internal Part Part { get; }

    public static ModelPart Text(string text) => new(new Part.Text(text));

    public static ModelPart Wav(ReadOnlySpan<byte> bytes) => Wav(Convert.ToBase64String(bytes));

    public static ModelPart Wav(string base64) => new(new Part.Audio(base64, "wav"));

    /// <param name="mimeType">PNG, JPEG, GIF or WebP.</param>
    public static ModelPart Image(ReadOnlySpan<byte> bytes, string mimeType) =>
        new(new Part.Image(new Media.Bytes(mimeType, Convert.ToBase64String(bytes))));

    public static ModelPart Pdf(ReadOnlySpan<byte> bytes, string name) =>
        new(new Part.File(new Media.Bytes("application/pdf", Convert.ToBase64String(bytes)), name));
}

/// <param name="IsCut">It ended before it was done: too long, filtered, or broken off.</param>
/// <param name="Model">The one that answered, as <c>provider/model</c>.</param>
/// <param name="Cost">US dollars; null where the model has no price.</param>
public sealed record ModelReply(string Text, bool IsCut, string Model, long InputTokens, long OutputTokens, decimal? Cost = null);
