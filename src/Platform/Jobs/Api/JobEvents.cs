using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Jobs.Api;

/// <summary>
/// A job as server-sent events. Each event is the whole job, its id is the version of what it shows: whoever missed some comes back
/// with <c>Last-Event-ID</c> and is told how it stands now, unless that is what he saw last.
/// </summary>
internal sealed class JobEvents(JobStore jobs, JobWatch watch, Callers callers, Drain drain, TimeProvider time)
{
    /// <summary>A stream ends after this, and the client comes back.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    internal static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    internal async Task<Results<ServerSentEventsResult<JobView?>, NoContent>> OpenAsync(
        HttpContext context, JobScope scope, Guid id, string? lastEventId, CancellationToken ct)
    {
        var job = JobView.Of(await jobs.FindAsync(id, scope, ct) ?? throw Failure.NotFound("Job"));
        if (job.IsFinal && job.Version == lastEventId)
        {
            // A browser comes back whenever a stream ends; this is the word that it shall not.
            return TypedResults.NoContent();
        }
        // Before the answer begins: too many is still a failure then.
        var watcher = watch.Open(id);
        context.Response.RegisterForDispose(watcher);
        return TypedResults.ServerSentEvents(StreamAsync(watcher, MaySeeAsync, lastEventId, ct));

        // A key may be revoked, a session ended or a role taken away while the stream is open.
        async ValueTask<bool> MaySeeAsync()
        {
            try
            {
                return await callers.FindAsync(context) is { HasOrganization: true } caller && JobScope.Of(caller) == scope;
            }
            catch (Exception away) when (Outage.Is(away))
            {
                return false;
            }
        }
    }

    internal async IAsyncEnumerable<SseItem<JobView?>> StreamAsync(
        JobWatch.Watcher watcher, Func<ValueTask<bool>> maySee, string? last, [EnumeratorCancellation] CancellationToken ct)
    {
        using var end = new CancellationTokenSource(Longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, end.Token, drain.Begun);
        while (!either.IsCancellationRequested)
        {
            var hasNews = await HasNewsAsync(watcher, either.Token);
            if (hasNews is false || !await maySee())
            {
                yield break;
            }
            switch (hasNews)
            {
                case null:
                    yield return new(null, "heartbeat");
                    break;
                case true when watcher.Looks.TryRead(out var job) && job.Version != last:
                    last = job.Version;
                    yield return new(job, job.IsFinal ? "end" : "job") { EventId = last };
                    if (job.IsFinal)
                    {
                        yield break;
                    }
                    break;
            }
        }
    }

    /// <summary>True when there is a look to read, false when there will be none, null when it is time for a sign of life.</summary>
    private async Task<bool?> HasNewsAsync(JobWatch.Watcher watcher, CancellationToken ct)
    {
        using var silence = new CancellationTokenSource(Heartbeat, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, silence.Token);
        try
        {
            return await watcher.Looks.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            return ct.IsCancellationRequested ? false : null;
        }
    }
}
