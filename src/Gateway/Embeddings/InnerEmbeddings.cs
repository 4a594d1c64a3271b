using Microsoft.Extensions.Options;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Providers.Demo;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Embeddings;

/// <summary>Makes vectors for other modules.</summary>
internal sealed class InnerEmbeddings(
    ModuleCalls calls, CallMeter meter, ProviderCatalog catalog, IOptions<GatewayOptions> options, TimeProvider time) : IEmbeddings
{
    /// <summary>The least of what providers take in one request.</summary>
    private const int MostAtOnce = 100;

    /// <summary>What public providers call theirs, for where the settings list no model of them.</summary>
    private static readonly Dictionary<string, string> Own = new(StringComparer.Ordinal)
    {
        ["openai"] = "text-embedding-3-small", ["gemini"] = "gemini-embedding-001", ["mistral"] = "mistral-embed", ["demo"] = "demo",
    };

    public string? Pick(Guid organizationId, string? wanted)
    {
        // Of an alias always the same one, under its own name: vectors of two models cannot be compared.
        var found = (wanted is null ? null : calls.Find(organizationId, wanted))
            ?? catalog.Models.FirstOrDefault(model => model.ListedName.Contains("embed", StringComparison.OrdinalIgnoreCase));
        return (found?.Alias?.Targets[0] ?? found)?.FullName
            ?? catalog.Providers
                .Where(provider => Own.TryGetValue(provider.Kind.Name, out var model) && provider.Serves(model))
                .Select(provider => $"{provider.Name}/{Own[provider.Kind.Name]}").FirstOrDefault();
    }

    public async Task<EmbeddingReply> EmbedAsync(EmbeddingQuestion question, CancellationToken ct)
    {
        var vectors = new List<float[]>(question.Texts.Count);
        var (model, tokens, cost) = (question.Model, 0L, (decimal?)0);
        foreach (var texts in question.Texts.Chunk(MostAtOnce))
        {
            var request = new EmbeddingRequest(question.Model, [.. texts.Select(text => new EmbeddingInput(text, null))]);
            var wanted = new ModuleCall(
                question.OrganizationId, question.Model, question.Purpose,
                EmbeddingsApi.Surface.Operation, question.RequestId, IsStream: false,
                TokenEstimate.Of(request), Output: 0);
            var (answer, answered, charged) = await calls.RunAsync(wanted, call => AskAsync(call, request, ct), ct);
            if (vectors.Count > 0 && answered != model)
            {
                throw new Failure(
                    FailureKind.Unavailable, "model_changed", "Another model went on in the middle: its vectors cannot be compared");
            }
            model = answered;
            tokens += answer.Usage.Input;
            cost += charged;
            vectors.AddRange(answer.Vectors.Select(ToLength1));
        }
        return new(vectors, model, tokens, cost);
    }

    private async Task<(EmbeddingAnswer Answer, string Model, decimal? Cost)> AskAsync(
        GatewayCall call, EmbeddingRequest request, CancellationToken ct)
    {
        var answer = call.Target.Provider.Client is { } client ? await AskAsync(call, client, request, ct) : DemoProvider.Embed(request);
        call.FirstByte = time.GetTimestamp();
        call.Usage = answer.Usage;
        meter.Succeeded(call);
        return (answer, call.Target.FullName, call.Cost);
    }

    private async Task<EmbeddingAnswer> AskAsync(GatewayCall call, ProviderClient client, EmbeddingRequest request, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(options.Value.Timeouts.TotalMs), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        using var body = new PooledBytes(16 << 10);
        EmbeddingCalls.Write(request, call.Target, body);
        var upstream = call.RequestTo(client.EmbeddingsUri(call.Target.Model), body.Memory, isStream: false);
        try
        {
            using var exchange = await client.SendAsync(upstream, either.Token);
            using var whole = await exchange.ReadAllAsync();
            return EmbeddingCalls.Read(whole.Memory, request, call.Target);
        }
        finally
        {
            call.Attempts = upstream.Attempts;
        }
    }

    /// <summary>So that a product of two is their cosine.</summary>
    private static float[] ToLength1(float[] vector)
    {
        var length = Math.Sqrt(vector.Sum(value => (double)value * value));
        if (!double.IsFinite(length))
        {
            throw new Failure(FailureKind.Upstream, "upstream_invalid_response", "A vector holds no finite numbers");
        }
        for (var place = 0; length > 0 && place < vector.Length; place++)
        {
            vector[place] = (float)(vector[place] / length);
        }
        return vector;
    }
}
