using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Events;

/// <summary>
/// What is to be told, written down with the job that tells it. Of a key there is one event: whoever comes second finds that it exists, so
/// two triggers tell a user once.
/// </summary>
internal sealed class EventOutbox(AssistantsDb db, TimeProvider time)
{
    public Task<bool> HasAsync(string key, CancellationToken ct) => db.Events.AnyAsync(row => row.DedupKey == key, ct);

    /// <summary>
    /// In the caller's unit of work; the job is enqueued with its next save.
    /// </summary>
    public async Task AddAsync<T>(EventUser user, string type, T message, JsonTypeInfo<T> json, string? key, CancellationToken ct)
    {
        if (await InsertAsync(user.Id, type, JsonSerializer.Serialize(message, json), key, ct) is { } id)
        {
            db.Enqueue(new DeliverEvent(id), DeliverEvent.Options(id, user));
        }
    }

    /// <summary>Null when there is an event with this key already.</summary>
    public async Task<int?> InsertAsync(string userId, string type, string message, string? key, CancellationToken ct) =>
        (await db.Database.SqlQuery<int>($"""
            insert into assistants.events (user_id, event_type, message, dedup_key, created_at)
            values ({userId}, {type}, {message}::jsonb, {key}, {time.GetUtcNow()})
            on conflict (dedup_key) do nothing
            returning id as "Value"
            """).ToListAsync(ct)) is [var id] ? id : null;

    /// <summary>The event with this key, made where there is none, and held until the caller's transaction is over.</summary>
    public async Task<HeldEvent> HoldAsync(string userId, string type, string message, string? key, CancellationToken ct) =>
        (await db.Database.SqlQuery<HeldEvent>($"""
            insert into assistants.events as held (user_id, event_type, message, dedup_key, created_at)
            values ({userId}, {type}, {message}::jsonb, {key}, {time.GetUtcNow()})
            on conflict (dedup_key) do update set dedup_key = held.dedup_key
            returning id, delivered_at
            """).ToListAsync(ct))[0];

    /// <summary>False when it was delivered before.</summary>
    public async Task<bool> DeliveredAsync(int id, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return await db.Events.Where(row => row.Id == id && row.DeliveredAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.DeliveredAt, now), ct) == 1;
    }
}

internal sealed record HeldEvent(int Id, DateTimeOffset? DeliveredAt);

/// <summary>Tells a user what was written down for him.</summary>
internal sealed record DeliverEvent(int EventId)
{
    public const string Kind = "assistants.deliver_event";

    /// <summary>News of a day are none on the next.</summary>
    public static readonly JobRules Rules = new()
    {
        MaxAge = TimeSpan.FromHours(18), MaxRunningPerTenant = 2, Timeout = TimeSpan.FromMinutes(5), Lease = TimeSpan.FromSeconds(15),
    };

    public static EnqueueOptions Options(int eventId, EventUser user) => new()
    {
        Owner = user.Owner, UniqueKey = eventId.ToString(CultureInfo.InvariantCulture),
    };
}
