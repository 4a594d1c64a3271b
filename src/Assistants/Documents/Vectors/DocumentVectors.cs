using Microsoft.Extensions.Options;
using Stoa.Assistants.Engines;
using Stoa.Gateway;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents.Vectors;

/// <summary>The vector of a text, and the model that it is of: only vectors of one model can be compared.</summary>
internal sealed record TextVector(float[] Numbers, string Model);

/// <summary>Vectors of documents and of questions, by the Gateway.</summary>
internal sealed class DocumentVectors(IEmbeddings embeddings, EngineLimits limits, IOptions<AssistantsOptions> options)
{
    public const string Purpose = "assistants.documents";

    /// <summary>Null where no model can be asked: documents are then found by their words alone.</summary>
    public string? ModelFor(Guid organizationId) => embeddings.Pick(organizationId, options.Value.EmbeddingModel);

    /// <summary>For a job: in the order of the texts; empty where no model can be asked.</summary>
    /// <param name="goesOn">As of <see cref="EngineLimits"/>.</param>
    /// <exception cref="Failure">The model did not answer.</exception>
    public Task<IReadOnlyList<TextVector>> OfAsync(
        Guid organizationId, IReadOnlyList<string> texts, JobContext context, bool goesOn, CancellationToken ct) =>
        OfAsync(organizationId, texts, context.JobId.ToString(), context, goesOn, ct);

    /// <summary>For somebody who waits.</summary>
    /// <inheritdoc cref="OfAsync(Guid, IReadOnlyList{string}, JobContext, bool, CancellationToken)"/>
    public Task<IReadOnlyList<TextVector>> OfAsync(
        Guid organizationId, IReadOnlyList<string> texts, string requestId, CancellationToken ct) =>
        OfAsync(organizationId, texts, requestId, context: null, goesOn: false, ct);

    private async Task<IReadOnlyList<TextVector>> OfAsync(
        Guid organizationId, IReadOnlyList<string> texts, string requestId, JobContext? context, bool goesOn, CancellationToken ct)
    {
        if (texts.Count == 0 || ModelFor(organizationId) is not { } model)
        {
            return [];
        }
        var reply = await limits.AskAsync(
            model, context, goesOn, () => embeddings.EmbedAsync(new(organizationId, model, Purpose, requestId, texts), ct), ct);
        context?.Spent(reply.InputTokens, 0, reply.Cost);
        return [.. reply.Vectors.Select(vector => new TextVector(vector, reply.Model))];
    }
}
