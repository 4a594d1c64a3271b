using System.Buffers;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>All live API keys, in memory. The request path asks only here, never the database.</summary>
public sealed class KeyRing
{
    // A token that names no key is compared too, so that both answers take the same time.
    private static readonly byte[] Nobody = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);

    // Two thirds of the time of SHA256.HashData, which sets up a new context for each call (420 against 610 ns).
    [ThreadStatic]
    private static IncrementalHash? sha;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider time;
    private readonly ApiKey? development;
    private volatile Snapshot snapshot;
    private volatile TaskCompletionSource replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal KeyRing(TimeProvider time, ApiKey? development)
    {
        this.time = time;
        this.development = development;
        snapshot = new([], development, last: null);
    }

    /// <summary>False until the keys were read once. Later outages of the database change nothing: what is known stays known.</summary>
    public bool IsLoaded => loaded.Task.IsCompleted;

    /// <summary>The token that everybody knows, on a Development host that takes it; else null.</summary>
    public string? DevelopmentToken => development is null ? null : DevelopmentKey.Token;

    public Task WhenLoaded(CancellationToken ct) => loaded.Task.WaitAsync(ct);

    /// <summary>The key that this token opens, or null when it is unknown, revoked or expired. Constant-time over the secret.</summary>
    /// <exception cref="Failure">Unavailable: the keys are not read yet, so nobody can say that this is none.</exception>
    public ApiKey? Find(ReadOnlySpan<char> token)
    {
        Span<byte> bytes = stackalloc byte[KeyToken.MaxLength];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (Ascii.FromUtf16(token, bytes, out var length) != OperationStatus.Done)
        {
            return null;
        }
        sha ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(bytes[..length]);
        sha.GetHashAndReset(hash);
        var found = snapshot.Find(KeyToken.PrefixOf(token));
        var isRight = CryptographicOperations.FixedTimeEquals(hash, found is null ? Nobody : found.Key.Hash.Span);
        if (!isRight || found is null)
        {
            return IsLoaded ? null : throw Failure.Unavailable("The server is starting", TimeSpan.FromSeconds(1));
        }
        return IsExpired(found.Key) ? null : found.Key;
    }

    /// <summary>The key of this id while it is live, for sessions that began with its token. Null while no keys are read.</summary>
    public ApiKey? FindLive(Guid id, string? prefix) =>
        prefix is not null && snapshot.Find(prefix) is { Key: var key } && key.Id == id && !IsExpired(key) ? key : null;

    /// <summary>Notes that the key was used now. It is written to the database later, with all others.</summary>
    public void Used(ApiKey key) => snapshot.Find(key.Prefix)?.UsedAt.Set(time.GetUtcNow().UtcTicks);

    internal void Replace(IEnumerable<ApiKey> keys)
    {
        snapshot = new(keys, development, last: snapshot);
        loaded.TrySetResult();
        Interlocked.Exchange(ref replaced, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>
    /// Until this host goes by what was just committed, as a rule some milliseconds: whoever was given a key may use it at once, and one
    /// that was revoked opens nothing any more. It gives up after a while, and does not begin where nobody reads keys, as in a verb.
    /// </summary>
    internal async Task FollowAsync(string prefix, bool isLive, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        while (IsLoaded && Patience - time.GetElapsedTime(started) is var left && left > TimeSpan.Zero)
        {
            var next = replaced.Task;
            if (snapshot.Find(prefix) is not null == isLive)
            {
                return;
            }
            await next.WaitAsync(left, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
        }
    }

    private bool IsExpired(ApiKey key) => key.ExpiresAt is { } end && end <= time.GetUtcNow();

    /// <summary>What was used and is not yet written.</summary>
    internal List<(ApiKey Key, DateTimeOffset At)> Unsaved()
    {
        var uses = new List<(ApiKey, DateTimeOffset)>();
        foreach (var entry in snapshot.Entries)
        {
            if (!ReferenceEquals(entry.Key, development) && entry.UsedAt.Unsaved is { } ticks)
            {
                uses.Add((entry.Key, new(ticks, TimeSpan.Zero)));
            }
        }
        return uses;
    }

    internal void Saved(List<(ApiKey Key, DateTimeOffset At)> uses)
    {
        foreach (var (key, at) in uses)
        {
            snapshot.Find(key.Prefix)?.UsedAt.Saved(at.UtcTicks);
        }
    }

    private sealed record Entry(ApiKey Key, Use UsedAt);

    private sealed class Use
    {
        private long last;
        private long saved;

        public long? Unsaved => Volatile.Read(ref last) is var ticks && ticks != saved ? ticks : null;

        public void Set(long ticks) => Volatile.Write(ref last, ticks);

        public void Saved(long ticks) => saved = ticks;
    }

    private sealed class Snapshot
    {
        private readonly FrozenDictionary<string, Entry> entries;
        private readonly FrozenDictionary<string, Entry>.AlternateLookup<ReadOnlySpan<char>> byPrefix;

        public Snapshot(IEnumerable<ApiKey> keys, ApiKey? development, Snapshot? last)
        {
            entries = keys.Concat(development is null ? [] : [development]).ToFrozenDictionary(
                key => key.Prefix,
                // What was used and is not yet written outlives the reload.
                key => new Entry(key, last?.Find(key.Prefix)?.UsedAt ?? new Use()),
                StringComparer.Ordinal);
            byPrefix = entries.GetAlternateLookup<ReadOnlySpan<char>>();
        }

        public ReadOnlySpan<Entry> Entries => entries.Values.AsSpan();

        public Entry? Find(ReadOnlySpan<char> prefix) => byPrefix.TryGetValue(prefix, out var entry) ? entry : null;
    }
}
