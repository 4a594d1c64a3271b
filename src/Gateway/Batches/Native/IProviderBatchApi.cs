using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Batches.Native;

/// <summary>One request of a batch, as its provider gets it.</summary>
/// <param name="Id">Ours, in letters and digits that every provider takes.</param>
internal readonly record struct NativeLine(string Id, ReadOnlyMemory<byte> Body);

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
    Task<string> CreateAsync(ProviderClient client, string model, string endpoint, IReadOnlyList<NativeLine> lines, CancellationToken ct);

    Task<NativeState> ReadAsync(ProviderClient client, string id, CancellationToken ct);

    IAsyncEnumerable<NativeResult> ResultsAsync(ProviderClient client, string id, NativeState state, CancellationToken ct);

    Task CancelAsync(ProviderClient client, string id, CancellationToken ct);
}
