using Microsoft.Extensions.Options;
using Stoa.Gateway;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Documents.Vectors;

/// <summary>The vector of a text, and the model that it is of: only vectors of one model can be compared.</summary>
internal sealed record TextVector(float[] Numbers, string Model);

/// <summary>Vectors of documents and of questions, by the Gateway.</summary>
internal sealed class DocumentVectors(IEmbeddings embeddings, IOptions<AssistantsOptions> options)
{
    public const string Purpose = "assistants.documents";

    /// <summary>Null where no model can be asked: documents are then found by their words alone.</summary>
    public string? ModelFor(Guid organizationId) => embeddings.Pick(organizationId, options.Value.EmbeddingModel);

    /// <summary>In the order of the texts; empty where no model can be asked.</summary>
    /// <exception cref="Failure">The model did not answer.</exception>
    public async Task<IReadOnlyList<TextVector>> OfAsync(Guid organizationId, IReadOnlyList<string> texts, string requestId, CancellationToken ct)
    {
        if (texts.Count == 0 || ModelFor(organizationId) is not { } model)
        {
            return [];
        }
        var reply = await embeddings.EmbedAsync(new(organizationId, model, Purpose, requestId, texts), ct);
        return [.. reply.Vectors.Select(vector => new TextVector(vector, reply.Model))];
    }
}
