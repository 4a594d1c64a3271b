using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Jobs;

namespace Stoa.Tests.Jobs;

public sealed class RunTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_runs_once_and_is_kept_as_succeeded()
    {
        await using var site = await JobsSite.StartAsync();

        var job = await site.FinishedAsync(await site.EnqueueAsync("hello"));

        Assert.Equal(JobState.Succeeded, job.State);
        Assert.Equal(1, job.Attempts);
        Assert.Equal(["hello"], site.Script.Ran);
        Assert.Equal("{\"name\": \"hello\"}", job.Args.GetRawText());
    }

    [Fact]
    public async Task A_job_whose_question_is_answered_with_no_has_nothing_to_do()
    {
        await using var site = await JobsSite.StartAsync(JobsSite.Quick with { OnlyIf = "select exists (select from deeds.deeds)" });

        var idle = await site.FinishedAsync(await site.EnqueueAsync("too early"));
        await site.ExecuteAsync("insert into deeds.deeds (name) values ('done')");
        var busy = await site.FinishedAsync(await site.EnqueueAsync("in time"));

        Assert.Equal((JobState.Succeeded, JobState.Succeeded), (idle.State, busy.State));
        Assert.Equal(["in time"], site.Script.Ran);
    }

    [Fact]
    public async Task A_job_exists_exactly_when_its_cause_was_committed()
    {
        await using var site = await JobsSite.StartAsync();
        JobReceipt kept;
        await using (var scope = site.Host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<DeedsDb>();
            db.Add(new Deed { Name = "kept" });
            kept = db.Enqueue(new Step("kept"));
            await db.SaveChangesAsync(Ct);
        }
        await using (var scope = site.Host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<DeedsDb>();
            await using var transaction = await db.Database.BeginTransactionAsync(Ct);
            db.Add(new Deed { Name = "undone" });
            db.Enqueue(new Step("undone"));
            await db.SaveChangesAsync(Ct);
            await transaction.RollbackAsync(Ct);
        }
        await using (var scope = site.Host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<DeedsDb>();
            db.Add(new Deed { Name = null! });
            db.Enqueue(new Step("refused"));
            await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync(Ct));
        }

        await site.FinishedAsync(kept.Id);

        Assert.Equal(["kept"], site.Script.Ran);
        Assert.Equal(1, await site.ScalarAsync<long>("select count(*) from deeds.deeds"));
        Assert.Equal(0, await site.ScalarAsync<long>("select count(*) from platform.jobs"));
        Assert.Equal(1, await site.ScalarAsync<long>("select count(*) from platform.finished_jobs"));
    }

    [Fact]
    public async Task A_test_runs_jobs_until_none_is_due()
    {
        await using var site = await JobsSite.StartAsync();
        site.Script.Acts["first"] = async (context, _) =>
            await site.Queue.EnqueueAsync(new Step("second"), new() { Owner = new(CreatedBy: $"job:{context.JobId}") }, Ct);
        // Together, or the first might be over before the third is there, which then is found by the next round of maintenance.
        var first = site.Queue.Make(new Step("first"));
        await site.Queue.EnqueueAsync([first, site.Queue.Make(new Step("third"), new() { After = first.Receipt.Id })], Ct);
        var later = await site.EnqueueAsync("later", new() { Delay = TimeSpan.FromHours(1) });

        await site.Host.RunJobsAsync();

        Assert.Equal(["first", "second", "third"], site.Script.Ran.Order(StringComparer.Ordinal));
        Assert.Equal(JobState.Available, (await site.Store.FindAsync(later, null, Ct))!.State);
    }

    [Fact]
    public async Task A_failing_job_is_tried_again_until_it_is_dead_and_tells_why()
    {
        await using var site = await JobsSite.StartAsync();
        site.Script.Acts["bad"] = (_, _) => throw new InvalidOperationException("no luck");

        var job = await site.FinishedAsync(await site.EnqueueAsync("bad"));

        Assert.Equal(JobState.Dead, job.State);
        Assert.Equal(3, job.Attempts);
        Assert.Equal("InvalidOperationException: no luck", job.Error);
        Assert.Equal(["failed", "failed", "dead"], job.History.EnumerateArray().Select(entry => entry.GetProperty("state").GetString()));
    }
}
