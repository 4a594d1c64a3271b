using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity.Jose;

/// <summary>
/// Tokens that must not be taken again: signed ones whose owners have signed out, and one-time ones that were used. A signature holds
/// until its end, so what ended earlier is remembered, in the table and on every host in memory, where the request path asks.
/// </summary>
public sealed class SpentTokens(NpgsqlDataSource source, ChangeFeed changes, TimeProvider time) : ChangeListener(changes, Channel)
{
    private const string Channel = "platform_spent_tokens";

    /// <summary>Tokens without an end are remembered this long.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(400);

    private readonly ConcurrentDictionary<string, DateTimeOffset> ends = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>False until the table was read once. Later outages of the database change nothing.</summary>
    public bool IsLoaded => loaded.Task.IsCompleted;

    /// <exception cref="Failure">Unavailable: the table was not read yet, so nobody can say that the token holds.</exception>
    public bool Contains(string token) => IsLoaded
        ? ends.ContainsKey(NameOf(HashOf(token)))
        : throw Failure.Unavailable("The server is starting", TimeSpan.FromSeconds(1));

    /// <summary>Once it has answered, this host refuses the token, and every other within a second.</summary>
    /// <returns>True for one caller only, however many try at once and on whatever host.</returns>
    public async Task<bool> SpendAsync(string token, DateTimeOffset? end, CancellationToken ct)
    {
        var longest = time.GetUtcNow() + Longest;
        // A little longer than it lives: clocks differ.
        var until = end < longest ? end.Value + TimeSpan.FromHours(1) : longest;
        var hash = HashOf(token);
        await using var command = source.CreateCommand(
            "insert into platform.spent_tokens (token_hash, expires_at) values ($1, $2) on conflict do nothing");
        command.Parameters.Add(new() { Value = hash });
        command.Parameters.Add(new() { Value = until.ToUniversalTime() });
        var isFirst = await command.ExecuteNonQueryAsync(ct) == 1;
        ends[NameOf(hash)] = until;
        return isFirst;
    }

    internal Task WhenLoaded(CancellationToken ct) => loaded.Task.WaitAsync(ct);

    /// <summary>One more, as the trigger says it, or everything when something may have been missed.</summary>
    protected override async Task HearAsync(string? payload, CancellationToken ct)
    {
        if (payload?.Split(' ') is [var name, var seconds])
        {
            ends[name] = DateTimeOffset.FromUnixTimeSeconds(long.Parse(seconds, CultureInfo.InvariantCulture));
            return;
        }
        await ForgetEndedAsync(ct);
        await using var command = source.CreateCommand("select token_hash, expires_at from platform.spent_tokens");
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            ends[NameOf(row.GetFieldValue<byte[]>(0))] = row.GetFieldValue<DateTimeOffset>(1);
        }
        loaded.TrySetResult();
    }

    private async Task ForgetEndedAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        foreach (var ended in ends.Where(entry => entry.Value <= now))
        {
            ends.TryRemove(ended);
        }
        await using var command = source.CreateCommand("delete from platform.spent_tokens where expires_at <= $1");
        command.Parameters.Add(new() { Value = now });
        await command.ExecuteNonQueryAsync(ct);
    }

    private static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private static string NameOf(byte[] hash) => Convert.ToHexStringLower(hash);
}
