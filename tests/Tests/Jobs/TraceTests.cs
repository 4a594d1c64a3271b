using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Jobs;
using Stoa.Platform.Telemetry;

namespace Stoa.Tests.Jobs;

public sealed class TraceTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_run_is_a_trace_of_its_own_that_is_linked_to_the_cause_of_its_job()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            // By its name: it asks while it is being made.
            ShouldListenTo = source => source.Name == Signals.Name,
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var site = await JobsSite.StartAsync();
        site.Script.Acts["linked"] = (context, _) => context.Attempt == 1 ? throw new IOException("once") : Task.CompletedTask;

        using var cause = new Activity("cause");
        JobReceipt job;
        cause.Start();
        await using (var scope = site.Host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<DeedsDb>();
            db.Add(new Deed { Name = "cause" });
            job = db.Enqueue(new Step("linked"));
            await db.SaveChangesAsync(Ct);
        }
        cause.Stop();
        await JobsSite.UntilAsync(() => Task.FromResult(Runs().Count == 2));

        Assert.All(Runs(), run =>
        {
            Assert.Equal(
                (cause.TraceId, cause.SpanId), Assert.Single(run.Links).Context is var link ? (link.TraceId, link.SpanId) : default);
            Assert.NotEqual(cause.TraceId, run.TraceId);
            Assert.Null(run.ParentId);
        });
        Assert.Equal(2, Runs().Select(run => run.TraceId).Distinct().Count());
        Assert.Equal([ActivityStatusCode.Error, ActivityStatusCode.Unset], Runs().Select(run => run.Status));

        List<Activity> Runs() => [.. spans.Where(span => span.GetTagItem("stoa.job.id") is Guid id && id == job.Id)];
    }
}
