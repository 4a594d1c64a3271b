using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Assistants.Messages;
using Stoa.Platform.Jobs;
using Stoa.Tests.Support;
using static System.Net.Http.HttpMethod;

namespace Stoa.Tests.Assistants.Work;

/// <summary>Work that no model answers, or whose host died. A model that failed is left alone for a while: each test has its own.</summary>
public sealed class WorkFailuresTests : IAsyncDisposable
{
    private readonly WorkSite work = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private AssistantsSite Site => work.Site;

    [Fact]
    public async Task What_cannot_be_answered_shows_as_failed_and_is_answered_when_it_is_sent_again()
    {
        await work.InitializeAsync();
        var user = await work.RegisteredAsync("failing");
        var session = (string)(await Site.OkAsync(user.Token, Put, "/session", new() { ["platform"] = "webapp" }))["session_id"]!;
        await Site.OkAsync(user.Token, Post, "/session", new() { ["session_id"] = session, ["title"] = "Named" });
        work.Model.Enqueue([.. Enumerable.Repeat(ScriptedAnswer.Error(500), 5)]);
        await StoryTests.SayAsync(Site, user.Token, session, "one", "Hello");
        await Site.Host.RunJobsAsync();
        Assert.Equal("user False", await work.StandsAsync(user, session));
        for (var attempt = 2; attempt <= 5; attempt++)
        {
            await Site.SqlAsync(
                "update platform.jobs set run_at = now() where state = 'available' and kind = 'assistants.answer_messages'");
            await Site.Host.RunJobsAsync();
        }
        Assert.Equal("user True", await work.StandsAsync(user, session));

        work.Model.Enqueue(ScriptedAnswer.Text("Hello"));
        await StoryTests.SayAsync(Site, user.Token, session, "one", "Hello");
        // A provider that has failed so often is left alone for a quarter of a minute.
        await Patience.UntilAsync(async () => await work.StandsAsync(user, session) != "user False");
        Assert.Equal("user False, mojo False", await work.StandsAsync(user, session));
    }

    [Fact]
    public async Task Who_waits_for_an_answer_that_died_with_its_host_sees_that_and_may_ask_again()
    {
        await work.InitializeAsync();
        work.Model.Answering = _ => ScriptedAnswer.Text("<title>a</title><summary>b</summary>Hello");
        const string jobs = "platform.jobs where kind in ('assistants.answer_messages', 'assistants.run_workflow_step')";
        await Site.SqlAsync(
            "insert into platform.job_kinds (kind, paused_at) values ('assistants.answer_messages', now()) on conflict (kind) do update set paused_at = now()");
        var (talker, filler) = (await work.RegisteredAsync("talker"), await work.RegisteredAsync("filler"));
        var ((_, said), (id, form)) = (await work.BeginAsync(talker), await work.BeginAsync(filler));
        await StoryTests.SayAsync(Site, talker.Token, said, "one", "Hello");
        await Site.OkAsync(
            filler.Token, Post, "/user_task_execution_run", new() { ["user_task_execution_pk"] = id, ["inputs"] = new JsonArray() });
        Assert.Equal(2, await Site.ValueAsync<long>($"select count(*) from {jobs}"));
        await ReportAsync();
        Assert.Equal(("user False", ""), (await work.StandsAsync(talker, said), await work.StandsAsync(filler, form)));

        // As a host leaves them that was killed in the last of their attempts.
        await Site.SqlAsync(
            "update platform.jobs set state = 'running', attempt = max_attempts, node = 'gone', started_at = now(), lease_until = now() where kind = 'assistants.answer_messages'");
        await Site.Host.RunJobsAsync();
        Assert.Equal(0, await Site.ValueAsync<long>($"select count(*) from {jobs}"));
        await ReportAsync();
        await ReportAsync();
        Assert.Equal(("user True", "mojo True"), (await work.StandsAsync(talker, said), await work.StandsAsync(filler, form)));
        Assert.Equal(2, await Site.ValueAsync<long>(
            "select count(*) from assistants.live_events where name = 'error' and user_id in ($1, $2)", talker.Id, filler.Id));

        await Site.SqlAsync("update platform.job_kinds set paused_at = null where kind = 'assistants.answer_messages'");
        await StoryTests.SayAsync(Site, talker.Token, said, "one", "Hello");
        await Site.OkAsync(
            filler.Token, Post, "/user_task_execution_run", new() { ["user_task_execution_pk"] = id, ["inputs"] = new JsonArray() });
        await Site.Host.RunJobsAsync();
        await ReportAsync();
        Assert.Equal(("user False, mojo False", "mojo False"), (await work.StandsAsync(talker, said), await work.StandsAsync(filler, form)));

        async Task ReportAsync()
        {
            await Site.Host.Services.GetRequiredService<JobQueue>().EnqueueAsync(new ReportFailedWork(), null, Ct);
            // Answers wait while their kind is paused; they are nobody's work then.
            while (await Site.ValueAsync<long>("select count(*) from platform.jobs where kind = 'assistants.report_failed_work'") > 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
            }
        }
    }

    public ValueTask DisposeAsync() => work.DisposeAsync();
}
