using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Cache;

/// <summary>
/// Answers to exactly the same request of the same organization: in memory up to a bound, in the database behind it. An outage of the
/// database costs hits, never an answer.
/// </summary>
internal sealed partial class ResponseCache : IDisposable
{
    /// <summary>The longest time an answer may be kept.</summary>
    public static readonly TimeSpan MaxTimeToLive = TimeSpan.FromDays(7);

    private readonly MemoryCache memory;
    private readonly ConcurrentDictionary<CacheKey, Task<CachedAnswer?>> running = new();
    private readonly CacheStore store;
    private readonly TimeProvider time;
    private readonly ILogger<ResponseCache> logger;

    public ResponseCache(CacheStore store, IOptions<GatewayOptions> options, TimeProvider time, ILogger<ResponseCache> logger)
    {
        this.store = store;
        this.time = time;
        this.logger = logger;
        memory = new(new MemoryCacheOptions { SizeLimit = (long)options.Value.CacheMaxMb << 20 });
    }

    /// <summary>The stored answer, or null.</summary>
    public async ValueTask<CachedAnswer?> FindAsync(CacheKey key, CancellationToken ct)
    {
        if (Remembered(key) is { } known)
        {
            return known;
        }
        try
        {
            if (await store.FindAsync(key, time.GetUtcNow(), ct) is not { } found)
            {
                return null;
            }
            Remember(key, new(found.Answer, found.Ends));
            return found.Answer;
        }
        catch (Exception failure) when (Outage.Is(failure))
        {
            LogNotRead(failure.Message);
            return null;
        }
    }

    public async Task StoreAsync(CacheKey key, CachedAnswer answer, TimeSpan timeToLive, CancellationToken ct)
    {
        var ends = time.GetUtcNow() + (timeToLive < MaxTimeToLive ? timeToLive : MaxTimeToLive);
        Remember(key, new(answer, ends));
        try
        {
            await store.AddAsync(key, answer, ends, ct);
        }
        catch (Exception failure) when (Outage.Is(failure))
        {
            LogNotWritten(failure.Message);
        }
    }

    /// <summary>
    /// The stored answer, or that of <paramref name="run"/>, which is then stored. Of the same requests at the same time one runs and
    /// the others of this node wait for it; they run for themselves when it fails or makes nothing that may be kept.
    /// </summary>
    /// <param name="run">Asks the provider; null when its answer must not be given again.</param>
    /// <returns>Null when <paramref name="run"/> ran for this caller, and has answered him; else the answer to give.</returns>
    public async Task<CachedAnswer?> GetOrRunAsync(
        CacheKey key, TimeSpan timeToLive, Func<CancellationToken, Task<CachedAnswer?>> run, CancellationToken ct)
    {
        if (await FindAsync(key, ct) is { } found)
        {
            return found;
        }
        var mine = new TaskCompletionSource<CachedAnswer?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = running.GetOrAdd(key, mine.Task);
        if (first != mine.Task)
        {
            if (await first.WaitAsync(ct) is { } shared)
            {
                return shared;
            }
            await run(ct);
            return null;
        }
        CachedAnswer? made = null;
        try
        {
            // Whoever looked in vain just before the one ahead of him was done finds the answer now.
            if (Remembered(key) is { } late)
            {
                return made = late;
            }
            made = await run(ct);
            if (made is not null)
            {
                // Its caller has his answer: whether he stays for the rest does not matter to the others.
                await StoreAsync(key, made, timeToLive, CancellationToken.None);
            }
            return null;
        }
        finally
        {
            running.TryRemove(key, out _);
            mine.SetResult(made);
        }
    }

    public void Dispose() => memory.Dispose();

    private CachedAnswer? Remembered(CacheKey key) =>
        memory.TryGetValue(key, out Entry? entry) && entry!.Ends > time.GetUtcNow() ? entry.Answer : null;

    private void Remember(CacheKey key, Entry entry)
    {
        // The cache's own clock only frees memory; whether an answer is still good is asked of ours.
        using var slot = memory.CreateEntry(key);
        slot.Value = entry;
        slot.Size = entry.Answer.Body.Length + Overhead;
        var rest = entry.Ends - time.GetUtcNow();
        slot.AbsoluteExpirationRelativeToNow = rest > TimeSpan.Zero ? rest : TimeSpan.FromTicks(1);
    }

    private const int Overhead = 512;

    private sealed record Entry(CachedAnswer Answer, DateTimeOffset Ends);

    [LoggerMessage(LogLevel.Warning, "The response cache could not be read: {Problem}")]
    private partial void LogNotRead(string problem);

    [LoggerMessage(LogLevel.Warning, "The response cache could not be written: {Problem}")]
    private partial void LogNotWritten(string problem);
}
