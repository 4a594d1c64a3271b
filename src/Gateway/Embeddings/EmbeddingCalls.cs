using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Gemini;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Embeddings;

/// <summary>Embeddings in the canonical terms: the request is written in the provider's dialect, and the answer read from it.</summary>
internal static class EmbeddingCalls
{
    /// <exception cref="Failure">Not found: the provider has no embeddings.</exception>
    public static void Write(EmbeddingRequest request, ModelTarget target, PooledBytes output)
    {
        var place = PlaceOf(target);
        switch (target.Provider.Kind.Dialect)
        {
            case Dialect.OpenAi:
                OpenAiEmbeddings.WriteRequest(request, place, output);
                break;
            case Dialect.Gemini:
                GeminiEmbeddings.WriteRequest(request, place, output);
                break;
            default:
                throw new Failure(
                    FailureKind.NotFound, "unsupported_endpoint",
                    $"The provider {target.Provider.Name} has no embeddings", [new("model", "no embeddings")]);
        }
    }

    public static EmbeddingAnswer Read(ReadOnlyMemory<byte> answer, EmbeddingRequest request, ModelTarget target) =>
        target.Provider.Kind.Dialect == Dialect.Gemini
            ? GeminiEmbeddings.ReadAnswer(answer, request, PlaceOf(target))
            : OpenAiEmbeddings.ReadAnswer(answer, request);

    private static DialectTarget PlaceOf(ModelTarget target) => new(target.Model) { Traits = target.Provider.Kind.Traits };
}
