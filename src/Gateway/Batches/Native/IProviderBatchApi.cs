using System.Globalization;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Batches.Native;

/// <summary>One request of a batch, as its provider gets it.</summary>
/// <param name="Id">Ours, in letters and digits that every provider takes.</param>
internal readonly record struct NativeLine(string Id, ReadOnlyMemory<byte> Body)
{
    private const string Prefix = "line-";

    public static NativeLine Of(int number, ReadOnlyMemory<byte> body) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number}"), body);

    /// <summary>Null for an id that is none of ours.</summary>
    public static int? NumberOf(string id) =>
        id.StartsWith(Prefix, StringComparison.Ordinal)
        && int.TryParse(id.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}

/// <summary>What a provider said of one request: a whole answer in its dialect, or an error with its status.</summary>
internal readonly record struct NativeResult(string Id, int Status, ReadOnlyMemory<byte> Body);

/// <summary>How far a provider is.</summary>
/// <param name="Files">Where its results are, if it has files of them.</param>
internal sealed record NativeState(NativeProgress Progress, IReadOnlyList<string> Files)
{
    public static NativeState Of(NativeProgress progress, params string?[] files) =>
        new(progress, [.. files.OfType<string>().Where(file => file.Length > 0)]);
}

internal enum NativeProgress
{
    UnderWay,
    /// <summary>It has results, for all lines or, cancelled or expired, for some.</summary>
    Ended,
    /// <summary>It did not take the batch.</summary>
    Failed,
}

/// <summary>A provider's own API for batches.</summary>
internal interface IProviderBatchApi
{
    /// <summary>Hands the lines over; returns the provider's id of the batch.</summary>
    Task<string> CreateAsync(BatchClient client, string model, string endpoint, IReadOnlyList<NativeLine> lines, CancellationToken ct);

    Task<NativeState> ReadAsync(BatchClient client, string id, CancellationToken ct);

    IAsyncEnumerable<NativeResult> ResultsAsync(BatchClient client, string id, NativeState state, CancellationToken ct);

    Task CancelAsync(BatchClient client, string id, CancellationToken ct);

    /// <summary>Null where the provider has none for such calls.</summary>
    static IProviderBatchApi? Of(Provider provider, string endpoint) => (provider.Kind.Name, endpoint) switch
    {
        // What is kept of responses is kept by the call itself.
        (_, InnerCalls.Responses) => null,
        ("openai", _) => OpenAiBatchApi.Instance,
        (_, InnerCalls.Embeddings) => null,
        ("groq", _) => OpenAiBatchApi.Instance,
        ("mistral", _) => MistralBatchApi.Instance,
        ("anthropic", _) => AnthropicBatchApi.Instance,
        ("gemini", _) => GeminiBatchApi.Instance,
        _ => null,
    };
}
