using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Delivery;

/// <summary>
/// Publishes to channels: to our own subscribers on all nodes, or through a foreign push service. A channel belongs to an organization; the
/// same name in another one is another channel.
/// </summary>
internal sealed class PushPublisher(
    NpgsqlDataSource source, JobQueue jobs, IDataProtectionProvider protection, IOptions<GatewayOptions> options, TimeProvider time)
{
    public const string Feed = "gateway_push";
    public const int MaxChannel = 512;

    private const int MaxText = 8 << 20;
    private const int MaxTtl = 86_400;

    /// <summary>PostgreSQL takes at most 8,000 bytes; what is longer is read from the table.</summary>
    private const int MaxInline = 7_000;

    // Until the other nodes have read a long one.
    private static readonly TimeSpan ShortestStay = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestTry = TimeSpan.FromMinutes(10);

    private readonly IDataProtector seal = protection.CreateProtector("stoa.push");

    /// <exception cref="Failure">Invalid: nothing can be published there.</exception>
    public static void CheckChannel(string channel)
    {
        if (channel.Length is 0 or > MaxChannel || channel.Contains('\0', StringComparison.Ordinal))
        {
            throw Failure.Invalid($"channel must have 1 to {MaxChannel} characters", "channel");
        }
    }

    /// <summary>Committed when it returns; subscribers hear of it right after.</summary>
    /// <param name="organizationId">Whose channel it is; <see cref="Guid.Empty"/> for one that everybody may join.</param>
    /// <param name="text">JSON, as the wire wants it.</param>
    /// <param name="ttlSeconds">How long the message is told to whoever joins.</param>
    /// <param name="apiKey">For a foreign push service, instead of the one in the settings.</param>
    public async Task PublishAsync(Guid organizationId, string channel, string text, int ttlSeconds, string? apiKey, CancellationToken ct)
    {
        CheckChannel(channel);
        if (text.Length > MaxText || text.Contains('\0', StringComparison.Ordinal))
        {
            throw new Failure(FailureKind.TooLarge, "message_too_large", $"A message has at most {MaxText} characters, and no NUL");
        }
        var ttl = Math.Clamp(ttlSeconds, 0, MaxTtl);
        if (options.Value.PushMode == PushMode.RtLayer)
        {
            await HandOverAsync(organizationId, channel, text, ttl, apiKey, ct);
            return;
        }
        // The escaped length is never below what PostgreSQL makes of it.
        var isInline = channel.Length + text.Length < MaxInline
            && JsonEncodedText.Encode(channel).EncodedUtf8Bytes.Length + JsonEncodedText.Encode(text).EncodedUtf8Bytes.Length < MaxInline;
        if (isInline && ttl == 0)
        {
            await NotifyAsync(new(organizationId, channel, 0, text), ct);
            return;
        }
        var stay = TimeSpan.FromSeconds(ttl);
        await using var command = source.CreateCommand($"""
            with added as ({Insert} returning id)
            select pg_notify('{Feed}', json_strip_nulls(json_build_object('o', $1::text, 'c', $2, 'i', id, 'm', $8::text))::text) from added
            """);
        AddMessage(command, organizationId, channel, text, null, ttl, stay > ShortestStay ? stay : ShortestStay);
        command.Parameters.Add(new() { Value = isInline ? text : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        await command.ExecuteNonQueryAsync(ct);
    }

    private const string Insert = """
        insert into gateway.push_messages (organization_id, channel, body, secret, ttl_seconds, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        """;

    internal string? KeyOf(byte[]? secret) => secret is null ? null : Encoding.UTF8.GetString(seal.Unprotect(secret));

    private async Task NotifyAsync(PushNote note, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await ChangeFeed.NotifyAsync(connection, Feed, JsonSerializer.Serialize(note, DeliveryJson.Default.PushNote), ct);
    }

    private async Task HandOverAsync(Guid organizationId, string channel, string text, int ttl, string? apiKey, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var insert = new NpgsqlCommand($"{Insert} returning id", connection);
        AddMessage(insert, organizationId, channel, text, apiKey, ttl, LongestTry);
        var id = (long)(await insert.ExecuteScalarAsync(ct))!;
        await jobs.EnqueueAsync(connection, new SendPush(id), new() { Owner = new(organizationId) }, ct);
        await transaction.CommitAsync(ct);
        jobs.Wake();
    }

    private void AddMessage(NpgsqlCommand command, Guid organizationId, string channel, string text, string? apiKey, int ttl, TimeSpan stay)
    {
        var now = time.GetUtcNow();
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = channel });
        command.Parameters.Add(new() { Value = text });
        command.Parameters.Add(new() { Value = apiKey is null ? DBNull.Value : seal.Protect(Encoding.UTF8.GetBytes(apiKey)),
            NpgsqlDbType = NpgsqlDbType.Bytea });
        command.Parameters.Add(new() { Value = ttl });
        command.Parameters.Add(new() { Value = now });
        command.Parameters.Add(new() { Value = now + stay });
    }
}

/// <summary>What the nodes tell each other of a message; without <paramref name="M"/> it is read from the table.</summary>
internal sealed record PushNote(Guid O, string C, long I, string? M);
