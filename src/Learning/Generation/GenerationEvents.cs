using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Data;

namespace Stoa.Learning.Generation;

/// <summary>
/// What happens to courses that are being made, told to whoever listens on any host. An event is told in the transaction of its cause:
/// heard when that is committed, and never when it is not. Whoever was not there looks at the course.
/// </summary>
internal sealed class GenerationEvents(ChangeFeed changes) : ChangeListener(changes, Channel)
{
    private const string Channel = "learning_generation";

    // A listener that is so far behind is not listening.
    private const int MaxWaiting = 2_000;

    private readonly ConcurrentDictionary<int, ConcurrentDictionary<Listener, byte>> listeners = new();

    public Listener Listen(int courseId)
    {
        var listener = new Listener(this, courseId);
        listeners.GetOrAdd(courseId, static _ => new())[listener] = 0;
        return listener;
    }

    public static Task TellAsync(DbContext db, int courseId, JsonObject happened, CancellationToken ct) =>
        ChangeFeed.NotifyAsync(db, Channel, string.Create(CultureInfo.InvariantCulture, $"{courseId}:{happened.ToJsonString()}"), ct);

    /// <summary>How many tasks are done, by the one that was last; nothing where none is.</summary>
    public static async Task TellCountersAsync(DbContext db, int courseId, CancellationToken ct)
    {
        if (await CountersAsync(db, courseId, ct) is { } counters)
        {
            await TellAsync(db, courseId, counters, ct);
        }
    }

    public static async Task<JsonObject?> CountersAsync(DbContext db, int courseId, CancellationToken ct) =>
        (await db.Database.SqlQuery<Counters>($"""
            select count(*)::integer as total, (array_agg(task_id order by updated_at desc, id desc))[1] as latest
            from learning.task_generation_jobs where course_id = {courseId} and status <> 'started' and deleted_at is null
              and course_job_uuid = (select uuid from learning.course_generation_jobs
                where course_id = {courseId} and deleted_at is null order by id desc limit 1)
            """).ToListAsync(ct)) is [{ Latest: { } latest } counters]
            ? new() { ["event"] = "task_completed", ["task"] = new JsonObject { ["id"] = latest }, ["total_completed"] = counters.Total }
            : null;

    protected override Task HearAsync(string? payload, CancellationToken ct)
    {
        // Without a payload something may have been missed: the page looks at the course by itself when a socket ends.
        if (payload is null)
        {
            foreach (var listener in listeners.Values.SelectMany(all => all.Keys))
            {
                listener.End();
            }
            return Task.CompletedTask;
        }
        var colon = payload.IndexOf(':', StringComparison.Ordinal);
        if (int.TryParse(payload.AsSpan(0, colon), CultureInfo.InvariantCulture, out var courseId)
            && listeners.TryGetValue(courseId, out var those))
        {
            foreach (var listener in those.Keys)
            {
                listener.Tell(payload[(colon + 1)..]);
            }
        }
        return Task.CompletedTask;
    }

    private void Remove(Listener listener)
    {
        if (listeners.TryGetValue(listener.CourseId, out var those))
        {
            those.TryRemove(listener, out _);
            if (those.IsEmpty)
            {
                // One who comes at this moment is put into the next.
                listeners.TryRemove(new(listener.CourseId, those));
            }
        }
    }

    private sealed record Counters(int Total, int? Latest);

    internal sealed class Listener(GenerationEvents events, int courseId) : IDisposable
    {
        private readonly Channel<string> told = System.Threading.Channels.Channel.CreateBounded<string>(MaxWaiting);

        public int CourseId => courseId;

        public ChannelReader<string> Events => told.Reader;

        public void Tell(string happened)
        {
            if (!told.Writer.TryWrite(happened))
            {
                End();
            }
        }

        public void End() => told.Writer.TryComplete();

        public void Dispose() => events.Remove(this);
    }
}
