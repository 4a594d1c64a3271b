using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Live;

internal sealed record LiveEvent(long Id, string? SessionId, string Name, string Data);

/// <summary>
/// Who listens on this host. The change feed says that there is news for a user, whichever host it comes from; each listener then reads
/// what he has not seen, so that a lost word costs nothing.
/// </summary>
internal sealed class LiveFeed(ChangeFeed changes, IDbContextFactory<AssistantsDb> contexts)
    : ChangeListener(changes, LiveEvents.Channel)
{
    /// <summary>On one host. A listener costs some kilobytes and a connection of its client's.</summary>
    internal const int MostListeners = 2_000;

    internal const int MostPerUser = 20;

    private const int PageSize = 100;

    private readonly Lock gate = new();
    private readonly Dictionary<string, List<Listener>> listeners = new(StringComparer.Ordinal);
    private int count;

    /// <exception cref="Failure">Unavailable: there are too many.</exception>
    public Listener Open(string userId)
    {
        var listener = new Listener(userId, Close);
        lock (gate)
        {
            var same = listeners.GetValueOrDefault(userId) ?? [];
            if (count >= MostListeners || same.Count >= MostPerUser)
            {
                throw Failure.Unavailable("Too many listen here at the moment", TimeSpan.FromSeconds(10));
            }
            same.Add(listener);
            listeners[userId] = same;
            count++;
        }
        return listener;
    }

    /// <summary>Where whoever comes now begins.</summary>
    public async Task<long> NewestAsync(string userId, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        return (await db.Database.SqlQuery<long>($"""
            select coalesce(max(id), 0) as "Value" from assistants.live_events where user_id = {userId}
            """).ToListAsync(ct))[0];
    }

    /// <param name="sessionId">Only of this room, and what goes to all.</param>
    public async Task<List<LiveEvent>> ReadAsync(string userId, string? sessionId, long after, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Database.SqlQuery<LiveEvent>($"""
            select id, session_id, name, data::text as data from assistants.live_events
            where user_id = {userId} and id > {after} and ({sessionId}::text is null or session_id is null or session_id = {sessionId})
            order by id limit {PageSize}
            """).ToListAsync(ct);
    }

    /// <param name="payload">Whose events there are.</param>
    protected override Task HearAsync(string? payload, CancellationToken ct)
    {
        lock (gate)
        {
            // Without a name something may have been missed: everybody looks.
            foreach (var listener in payload is null ? listeners.Values.SelectMany(same => same)
                : listeners.GetValueOrDefault(payload) ?? [])
            {
                listener.Wake();
            }
        }
        return Task.CompletedTask;
    }

    private void Close(Listener listener)
    {
        lock (gate)
        {
            if (listeners.TryGetValue(listener.UserId, out var same) && same.Remove(listener))
            {
                count--;
                if (same.Count == 0)
                {
                    listeners.Remove(listener.UserId);
                }
            }
        }
    }

    internal sealed class Listener(string userId, Action<Listener> close) : IDisposable
    {
        private readonly SemaphoreSlim news = new(0, 1);

        public string UserId => userId;

        public void Wake()
        {
            // One is enough: he then reads all there is. Only we release it, one at a time.
            if (news.CurrentCount == 0)
            {
                news.Release();
            }
        }

        public Task WaitAsync(CancellationToken ct) => news.WaitAsync(ct);

        public void Dispose()
        {
            close(this);
            news.Dispose();
        }
    }
}
