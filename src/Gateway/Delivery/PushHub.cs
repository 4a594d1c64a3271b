using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Delivery;

/// <summary>Who listens to which channel on this node, and what the other nodes say was published.</summary>
internal sealed class PushHub(NpgsqlDataSource source, ChangeFeed feed, TimeProvider time) : ChangeListener(feed, PushPublisher.Feed)
{
    /// <summary>Channels of the installation, which every organization may join.</summary>
    private static readonly HashSet<string> Shared = new(["global_model_updates"], StringComparer.Ordinal);

    private readonly ConcurrentDictionary<(Guid Organization, string Channel), ImmutableHashSet<PushSubscriber>> listeners = [];

    public PushSubscriber Open(Guid organizationId) => new(this, organizationId);

    /// <summary>Whether anybody on this node listens to a channel of that name, in whatever organization.</summary>
    internal bool HasListeners(string channel) => listeners.Keys.Any(key => key.Channel == channel);

    internal void Add(PushSubscriber subscriber, string channel) => listeners.AddOrUpdate(
        KeyOf(subscriber.OrganizationId, channel), static (_, one) => [one], static (_, all, one) => all.Add(one), subscriber);

    internal void Remove(PushSubscriber subscriber, string channel)
    {
        var key = KeyOf(subscriber.OrganizationId, channel);
        while (listeners.TryGetValue(key, out var all))
        {
            var rest = all.Remove(subscriber);
            if (rest.IsEmpty
                ? listeners.TryRemove(KeyValuePair.Create(key, all))
                : listeners.TryUpdate(key, rest, all))
            {
                return;
            }
        }
    }

    /// <summary>The last message of the channel whose time is not over.</summary>
    internal async Task<PushMessage?> LastAsync(Guid organizationId, string channel, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select id, body from gateway.push_messages
            where organization_id = $1 and channel = $2 and created_at + make_interval(secs => ttl_seconds) > $3
            order by id desc limit 1
            """);
        command.Parameters.Add(new() { Value = KeyOf(organizationId, channel).Organization });
        command.Parameters.Add(new() { Value = channel });
        command.Parameters.Add(new() { Value = time.GetUtcNow() });
        return await ReadAsync(command, channel, ct);
    }

    protected override async Task HearAsync(string? payload, CancellationToken ct)
    {
        if (payload is null)
        {
            // Something may have been missed: whoever listens gets what is still of interest.
            foreach (var (key, subscribers) in listeners)
            {
                if (await LastAsync(key.Organization, key.Channel, ct) is { } last)
                {
                    foreach (var subscriber in subscribers)
                    {
                        subscriber.Repeat(last);
                    }
                }
            }
            return;
        }
        var note = JsonSerializer.Deserialize(payload, DeliveryJson.Default.PushNote)!;
        if (listeners.TryGetValue((note.O, note.C), out var here)
            && (note.M is null ? await FindAsync(note, ct) : new PushMessage(note.I, note.C, note.M)) is { } message)
        {
            foreach (var subscriber in here)
            {
                subscriber.Offer(message);
            }
        }
    }

    private async Task<PushMessage?> FindAsync(PushNote note, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select id, body from gateway.push_messages where id = $1");
        command.Parameters.Add(new() { Value = note.I });
        return await ReadAsync(command, note.C, ct);
    }

    private static async Task<PushMessage?> ReadAsync(NpgsqlCommand command, string channel, CancellationToken ct)
    {
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await rows.ReadAsync(ct) ? new(rows.GetInt64(0), channel, rows.GetString(1)) : null;
    }

    private static (Guid Organization, string Channel) KeyOf(Guid organizationId, string channel) =>
        Shared.Contains(channel) ? (Guid.Empty, channel) : (organizationId, channel);
}
