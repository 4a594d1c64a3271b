using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Engines;

/// <summary>Jobs wait for a model that is asked enough already; none fails, and none holds a worker.</summary>
public sealed class EngineLimitsTests
{
    private const string Titles = "assistants.title_and_summary";

    [Fact]
    public async Task A_model_is_asked_so_often_in_a_minute_and_the_others_are_put_back_until_it_is_their_turn()
    {
        await using var thinking = await StartAsync(("CallsPerMinute", "2"));
        var (site, provider) = (thinking.Site, thinking.Provider);
        for (var number = 0; number < 4; number++)
        {
            provider.EnqueueFor(ThinkingSite.Model, Title());
            await NameAsync(site, await site.ExecutionAsync(await site.UserAsync($"User {number}"), ["I met Bob"]));
        }

        await Patience.UntilAsync(async () => await CountAsync(site, "finished_jobs where state = 'succeeded' and kind = $1") == 2);
        await Patience.UntilAsync(async () =>
            await CountAsync(site, "jobs where kind = $1 and state = 'available' and run_at > now() and attempt = snoozed") == 2);
        Assert.Equal(2, provider.Requests.Count);
        Assert.Equal("Waits for a permit of engine openai/scripted-small", await site.ValueAsync<string>(
            "select distinct history -> -1 ->> 'reason' from platform.jobs where kind = $1", Titles));

        // As if a minute had passed.
        await site.SqlAsync("update platform.job_keys set until = until - interval '1 minute' where kind like 'rate %'");
        await site.SqlAsync("update platform.jobs set run_at = run_at - interval '1 minute' where kind = $1", Titles);
        await Patience.UntilAsync(async () => await CountAsync(site, "finished_jobs where state = 'succeeded' and kind = $1") == 4);
        Assert.Equal(4, provider.Requests.Count);
    }

    [Fact]
    public async Task An_answer_that_goes_back_is_asked_for_at_once_and_others_wait_the_longer()
    {
        await using var thinking = await StartAsync(("CallsPerMinute", "1"));
        var (site, provider) = (thinking.Site, thinking.Provider);
        provider.EnqueueFor(ThinkingSite.Model, ScriptedAnswer.Text("Sure!"), ScriptedAnswer.Text("Sure!"), Title());

        await NameAsync(site, await site.ExecutionAsync(await site.UserAsync("Ada"), ["I met Bob"]));
        await site.Host.RunJobsAsync();

        Assert.Equal(3, provider.Requests.Count);
        Assert.True(await site.ValueAsync<bool>(
            "select until > now() + interval '150 seconds' from platform.job_keys where kind = 'rate permits'"));
    }

    [Fact]
    public async Task A_model_is_asked_by_so_many_jobs_at_once_and_a_place_is_free_when_its_run_has_its_answer()
    {
        await using var thinking = await StartAsync(("CallsAtOnce", "1"));
        var (site, provider) = (thinking.Site, thinking.Provider);
        var release = new TaskCompletionSource();
        provider.EnqueueFor(ThinkingSite.Model, Title().Hold(release: release.Task), Title());
        await NameAsync(site, await site.ExecutionAsync(await site.UserAsync("Ada"), ["I met Bob"]));
        await Patience.UntilAsync(() => Task.FromResult(provider.Requests.Count == 1));
        await NameAsync(site, await site.ExecutionAsync(await site.UserAsync("Bob"), ["I met Ada"]));

        await Patience.UntilAsync(async () => await CountAsync(site, "jobs where kind = $1 and snoozed > 1") == 1);
        Assert.Single(provider.Requests);
        // However often it asked, it is noted once.
        Assert.Equal(
            1, await site.ValueAsync<int>("select jsonb_array_length(history) from platform.jobs where kind = $1 and snoozed > 1", Titles));
        release.SetResult();
        await Patience.UntilAsync(async () => await CountAsync(site, "finished_jobs where state = 'succeeded' and kind = $1") == 2);
        Assert.Equal(0, await CountAsync(site, "job_keys where kind like 'places of %' and $1 = $1"));
    }

    [Fact]
    public async Task What_somebody_waits_for_is_thought_about_before_what_is_read_in_bulk()
    {
        await using var thinking = await StartAsync(("CallsPerMinute", "4"));
        var site = thinking.Site;
        var user = await site.UserAsync("Ada");
        await site.SqlAsync(
            "insert into platform.job_kinds (kind, paused_at) values ($1, now()), ('assistants.embed_document', now()) on conflict (kind) do update set paused_at = now()", Titles);
        await site.OkAsync(user.Token, HttpMethod.Put, "/resource",
            new() { ["name"] = "Note", ["text"] = "Bob of Initech orders the printers on Monday." });
        await NameAsync(site, await site.ExecutionAsync(user, ["I met Bob"]));

        Assert.Equal("0 3", await site.ValueAsync<string>(
            "select string_agg(priority::text, ' ' order by priority) from platform.jobs where kind in ($1, 'assistants.embed_document')",
            Titles));
        // Of four permits bulk jobs leave one.
        await site.SqlAsync(
            "insert into platform.job_keys (kind, key, job_id, until) values ('rate permits', 'engine demo/demo', gen_random_uuid(), now() + interval '45 seconds'), ('rate permits', 'engine openai/scripted-small', gen_random_uuid(), now() + interval '45 seconds')");
        thinking.Provider.EnqueueFor(ThinkingSite.Model, Title());
        await site.SqlAsync("update platform.job_kinds set paused_at = null");
        await Patience.UntilAsync(async () => await CountAsync(site, "finished_jobs where state = 'succeeded' and kind = $1") == 1);
        await Patience.UntilAsync(async () =>
            await CountAsync(site, "jobs where kind = 'assistants.embed_document' and $1 = $1 and snoozed > 0 and run_at > now()") == 1);
    }

    [Fact]
    public async Task A_limit_that_cannot_be_stops_the_start()
    {
        var wrong = await Assert.ThrowsAsync<Stoa.Platform.Hosting.WrongSettingException>(() => Stoa.Host.App.BuildAsync(
            ["--environment", "Development"], [new("Assistants:EngineLimits:0:CallsPerMinute", "-1")]));

        Assert.Contains("CallsPerMinute and CallsAtOnce must be between 0", wrong.Message, StringComparison.Ordinal);
    }

    private static Task<ThinkingSite> StartAsync((string Name, string Value) limit) => ThinkingSite.StartAsync(
        "2027-11-01T10:00:00Z", ($"Assistants:EngineLimits:0:{limit.Name}", limit.Value), ("Assistants:EmbeddingModel", "demo/demo"));

    private static async Task NameAsync(AssistantsSite site, Done execution) => await site.OkAsync(
        authorization: null, HttpMethod.Post, "/background/user_task_execution_title_and_summary",
        new() { ["user_task_execution_pk"] = execution.Execution });

    private static Task<long> CountAsync(AssistantsSite site, string of) =>
        site.ValueAsync<long>($"select count(*) from platform.{of}", Titles);

    private static ScriptedAnswer Title() => ScriptedAnswer.Text("<title>Bob</title><summary>You met somebody.</summary>");
}
