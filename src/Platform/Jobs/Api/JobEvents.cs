using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs.Api;

/// <summary>
/// A job as server-sent events. Each event is the whole job, its id is the version of what it shows: whoever missed some comes back
/// with <c>Last-Event-ID</c> and is told how it stands now, unless that is what he saw last.
/// </summary>
internal sealed class JobEvents(JobStore jobs, JobWatch watch, Drain drain, TimeProvider time)
{
    /// <summary>A stream ends after this; the client comes back, and his key is asked again.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    internal async Task<Results<ServerSentEventsResult<JobView?>, NoContent>> OpenAsync(
        JobScope scope, Guid id, string? lastEventId, CancellationToken ct)
    {
        var job = JobView.Of(await jobs.FindAsync(id, scope, ct) ?? throw Failure.NotFound("Job"));
        // A browser comes back whenever a stream ends; this is the word that it shall not.
        return job.IsFinal && job.Version == lastEventId
            ? TypedResults.NoContent()
            : TypedResults.ServerSentEvents(StreamAsync(id, lastEventId, ct));
    }

    private async IAsyncEnumerable<SseItem<JobView?>> StreamAsync(Guid id, string? last, [EnumeratorCancellation] CancellationToken ct)
    {
        using var watcher = watch.Open(id);
        using var end = new CancellationTokenSource(Longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, end.Token, drain.Begun);
        while (!either.IsCancellationRequested)
        {
            switch (await HasNewsAsync(watcher, either.Token))
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
                case false:
                    yield break;
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
