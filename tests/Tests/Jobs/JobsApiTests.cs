using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;

namespace Stoa.Tests.Jobs;

public sealed class JobsApiTests(OuterSite site) : IClassFixture<OuterSite>
{
    private const string Root = OuterSite.Root;

    private static readonly string[] ActsOnJobs = ["cancel", "retry", "replay"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_shows_what_became_of_it()
    {
        var id = await site.DeadAsync();
        using var admin = site.Client();

        var job = await OuterSite.ReadAsync(admin, $"{Root}/{id}");

        Assert.Equal(("test.step", "dead", 1), ((string)job["kind"]!, (string)job["state"]!, (int)job["attempts"]!));
        Assert.Equal("dead", (string)job["arguments"]!["name"]!);
        Assert.Contains("It cannot be", (string)job["error"]!, StringComparison.Ordinal);
        Assert.NotNull(job["finished_at"]);
        Assert.NotEmpty(job["history"]!.AsArray());
    }

    [Fact]
    public async Task Everybody_sees_what_is_his_and_nothing_else()
    {
        var system = await site.LaterAsync(null);
        var users = await site.LaterAsync(site.User);
        var others = await site.LaterAsync(site.OtherUser);
        var otherAdmins = await site.LaterAsync(site.OtherAdmin);

        await SeesAsync(site.Client(), sees: [system, users], not: [others, otherAdmins]);
        await SeesAsync(site.Client(site.User), sees: [users], not: [system, others, otherAdmins]);
        await SeesAsync(site.Client(site.OtherAdmin), sees: [others, otherAdmins], not: [system, users]);
        await SeesAsync(site.Client(site.OtherUser), sees: [others], not: [system, users, otherAdmins]);
    }

    [Fact]
    public async Task Dead_letters_are_found_by_tenant_and_person()
    {
        site.Script.Acts["searched"] = (_, _) => throw JobFailure.Dead("It cannot be");
        var person = Guid.CreateVersion7();
        var ids = new List<Guid>();
        foreach (var tenant in (string[])["north", "south"])
        {
            var owner = new JobOwner(Organization.DefaultId, person, Tenant: tenant);
            var job = await site.Services.GetRequiredService<JobQueue>().EnqueueAsync(new Step("searched"), new() { Owner = owner }, Ct);
            await site.UntilAsync(job.Id, "dead");
            ids.Add(job.Id);
        }
        using var admin = site.Client();

        var south = await OuterSite.ReadAsync(admin, $"{Root}?state=dead&tenant=south");
        var both = await OuterSite.ReadAsync(admin, $"{Root}?state=dead&person_id={person}");

        Assert.Equal((ids[1], "south"), ((Guid)Assert.Single(south["items"]!.AsArray())!["id"]!, (string)south["items"]![0]!["tenant"]!));
        Assert.Equal(ids.AsEnumerable().Reverse(), both["items"]!.AsArray().Select(job => (Guid)job!["id"]!));
    }

    [Fact]
    public async Task Nobody_acts_on_the_job_of_a_stranger()
    {
        var id = await site.LaterAsync(site.User);
        var dead = await site.DeadAsync(site.User);
        using var stranger = site.Client(site.OtherAdmin);
        var before = await site.ScalarAsync<long>("select count(*) from platform.audit where act like 'job.%'");

        foreach (var act in ActsOnJobs)
        {
            using var answer = await stranger.PostAsync($"{Root}/{id}/{act}", null, Ct);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
        using var discarded = await stranger.DeleteAsync($"{Root}/{dead}", Ct);
        using var watched = await stranger.GetAsync($"{Root}/{id}/events", Ct);

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (discarded.StatusCode, watched.StatusCode));
        Assert.Equal(before, await site.ScalarAsync<long>("select count(*) from platform.audit where act like 'job.%'"));
    }

    [Fact]
    public async Task An_owner_cancels_his_job_and_leaves_the_rest_to_admins()
    {
        var id = await site.LaterAsync(site.User);
        using var owner = site.Client(site.User);

        using var retried = await owner.PostAsync($"{Root}/{id}/retry", null, Ct);
        using var replayed = await owner.PostAsync($"{Root}/{id}/replay", null, Ct);
        using var many = await owner.PostAsJsonAsync($"{Root}/replay", new { kind = "test.step" }, Ct);
        using var discarded = await owner.DeleteAsync($"{Root}/{id}", Ct);
        using var cancelled = await owner.PostAsync($"{Root}/{id}/cancel", null, Ct);
        using var again = await owner.PostAsync($"{Root}/{id}/cancel", null, Ct);

        Assert.All([retried, replayed, many, discarded], answer => Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Conflict), (cancelled.StatusCode, again.StatusCode));
        Assert.Equal("cancelled", (string)(await cancelled.Content.ReadFromJsonAsync<JsonNode>(Ct))!["state"]!);
        Assert.Equal(
            $"key:{site.User.Row.Id}",
            await site.ScalarAsync<string>($"select actor from platform.audit where act = 'job.cancel' and subject = 'job:{id}'"));
    }

    [Theory]
    [InlineData("GET", "/kinds")]
    [InlineData("POST", "/kinds/test.step/pause")]
    [InlineData("POST", "/kinds/test.step/resume")]
    [InlineData("GET", "/schedules")]
    [InlineData("POST", "/schedules/test.yearly/pause")]
    [InlineData("POST", "/schedules/test.yearly/resume")]
    [InlineData("POST", "/schedules/test.yearly/run")]
    public async Task Kinds_and_schedules_are_the_hosts(string method, string path)
    {
        foreach (var (token, status) in new[]
        {
            (site.OtherAdmin.Token, HttpStatusCode.Forbidden),
            (site.User.Token, HttpStatusCode.Forbidden), (null, HttpStatusCode.Unauthorized),
        })
        {
            using var client = site.Client(token);
            using var answer = await client.SendAsync(new HttpRequestMessage(new(method), $"{Root}{path}"), Ct);
            Assert.Equal(status, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_dead_job_is_replayed_with_its_own_or_with_edited_arguments_and_discarded()
    {
        using var admin = site.Client();
        var id = await site.DeadAsync(name: "replayed");
        site.Script.Acts["replayed"] = (_, _) => Task.CompletedTask;

        using var own = await admin.PostAsync($"{Root}/{id}/replay", null, Ct);
        using var edited = await admin.PostAsJsonAsync($"{Root}/{id}/replay", new { arguments = new { name = "edited" } }, Ct);
        using var wrong = await admin.PostAsJsonAsync($"{Root}/{id}/replay", new { arguments = new { name = 7 } }, Ct);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created, HttpStatusCode.BadRequest),
            (own.StatusCode, edited.StatusCode, wrong.StatusCode));
        var job = await OuterSite.ReadAsync(admin, edited.Headers.Location!.OriginalString);
        Assert.Equal(("edited", id), ((string)job["arguments"]!["name"]!, (Guid)job["replay_of"]!));
        await site.UntilAsync((Guid)job["id"]!, "succeeded");

        using var discarded = await admin.DeleteAsync($"{Root}/{id}", Ct);
        using var gone = await admin.GetAsync($"{Root}/{id}", Ct);
        using var notDead = await admin.DeleteAsync($"{Root}/{job["id"]}", Ct);
        Assert.Equal(
            (HttpStatusCode.NoContent, HttpStatusCode.NotFound, HttpStatusCode.Conflict),
            (discarded.StatusCode, gone.StatusCode, notDead.StatusCode));
        Assert.Equal(
            1L, await site.ScalarAsync<long>($"select count(*) from platform.audit where act = 'job.discard' and subject = 'job:{id}'"));
    }

    [Fact]
    public async Task Many_dead_jobs_of_one_cause_are_replayed_at_once_within_the_organization()
    {
        var mine = await site.DeadAsync(site.OtherUser, "batch");
        await site.DeadAsync(site.User, "batch");
        site.Script.Acts["batch"] = (_, _) => Task.CompletedTask;
        using var admin = site.Client(site.OtherAdmin);
        var fingerprint = (string)(await OuterSite.ReadAsync(admin, $"{Root}/{mine}"))["fingerprint"]!;

        using var answer = await admin.PostAsJsonAsync($"{Root}/replay", new { kind = "test.step", fingerprint }, Ct);
        using var everything = await admin.PostAsJsonAsync($"{Root}/replay", new { limit = 5 }, Ct);

        Assert.Equal(1, (int)(await answer.Content.ReadFromJsonAsync<JsonNode>(Ct))!["count"]!);
        Assert.Equal(HttpStatusCode.BadRequest, everything.StatusCode);
    }

    [Fact]
    public async Task A_waiting_job_runs_at_once_when_it_is_retried()
    {
        using var admin = site.Client();
        var id = await site.LaterAsync(null);

        using var answer = await admin.PostAsync($"{Root}/{id}/retry", null, Ct);

        Assert.Equal(id, (Guid)(await answer.Content.ReadFromJsonAsync<JsonNode>(Ct))!["id"]!);
        await site.UntilAsync(id, "succeeded");
    }

    [Fact]
    public async Task A_list_is_narrowed_and_read_on()
    {
        using var user = site.Client(site.OtherUser);
        var dead = await site.DeadAsync(site.OtherUser, "narrowed");
        // Of one millisecond, chance decides which id is the later.
        Guid[] newer = [await site.LaterAsync(site.OtherUser), await site.LaterAsync(site.OtherUser)];
        var (newest, later) = (newer.Max(), newer.Min());

        Assert.Equal([dead], await IdsAsync(user, "?state=dead&text=narrowed&kind=test.step&min_attempts=1"));
        Assert.Empty(await IdsAsync(user, "?state=dead&text=nowhere"));
        Assert.Empty(await IdsAsync(user, "?min_attempts=2"));
        Assert.Empty(await IdsAsync(user, "?to=2020-01-01"));
        Assert.Contains(newest, await IdsAsync(user, "?from=2020-01-01&state=available,running"));
        var page = await OuterSite.ReadAsync(user, $"{Root}?limit=1");
        Assert.Equal(newest, (Guid)page["items"]![0]!["id"]!);
        Assert.Equal([later], await IdsAsync(user, $"?limit=1&after={page["next"]}"));
    }

    [Fact]
    public async Task Secret_arguments_are_neither_shown_nor_found()
    {
        site.Script.Acts["verysecretword"] = (_, _) => throw JobFailure.Dead("No");
        var id = (await site.Services.GetRequiredService<JobQueue>().EnqueueAsync(new Narrow("verysecretword"), null, Ct)).Id;
        await site.UntilAsync(id, "dead");
        using var admin = site.Client();

        var job = await OuterSite.ReadAsync(admin, $"{Root}/{id}");

        Assert.Null(job["arguments"]);
        Assert.Empty(await IdsAsync(admin, "?text=verysecretword"));
    }

    [Fact]
    public async Task A_paused_kind_starts_nothing_until_it_is_resumed()
    {
        using var admin = site.Client();
        using var paused = await admin.PostAsync($"{Root}/kinds/test.narrow/pause", null, Ct);
        var kind = (await OuterSite.ReadAsync(admin, $"{Root}/kinds"))["items"]!.AsArray()
            .Single(item => (string)item!["kind"]! == "test.narrow")!;
        using var resumed = await admin.PostAsync($"{Root}/kinds/test.narrow/resume", null, Ct);
        using var unknown = await admin.PostAsync($"{Root}/kinds/test.unknown/pause", null, Ct);

        Assert.Equal(
            (HttpStatusCode.NoContent, HttpStatusCode.NoContent, HttpStatusCode.NotFound),
            (paused.StatusCode, resumed.StatusCode, unknown.StatusCode));
        Assert.NotNull(kind["paused_at"]);
        Assert.Equal(
            "jobs.pause,jobs.resume",
            await site.ScalarAsync<string>(
                "select string_agg(act, ',' order by id) from platform.audit where subject = 'job_kind:test.narrow'"));
    }

    [Fact]
    public async Task A_schedule_is_shown_paused_resumed_and_run_out_of_turn()
    {
        using var admin = site.Client();
        var path = $"{Root}/schedules/{OuterSite.Schedule}";
        using var run = await admin.PostAsync($"{path}/run", null, Ct);
        using var paused = await admin.PostAsync($"{path}/pause", null, Ct);
        var asleep = (await OuterSite.ReadAsync(admin, $"{Root}/schedules"))["items"]!.AsArray()
            .Single(item => (string)item!["name"]! == OuterSite.Schedule)!;
        using var resumed = await admin.PostAsync($"{path}/resume", null, Ct);
        var schedule = (await OuterSite.ReadAsync(admin, $"{Root}/schedules"))["items"]!.AsArray()
            .Single(item => (string)item!["name"]! == OuterSite.Schedule)!;
        using var unknown = await admin.PostAsync($"{Root}/schedules/nothing/run", null, Ct);

        Assert.Equal(
            (HttpStatusCode.Created, HttpStatusCode.NoContent, HttpStatusCode.NoContent, HttpStatusCode.NotFound),
            (run.StatusCode, paused.StatusCode, resumed.StatusCode, unknown.StatusCode));
        Assert.Equal(("0 3 1 1 *", "Europe/Berlin", "once", "skip"),
            ((string)schedule["cron"]!, (string)schedule["zone"]!, (string)schedule["missed"]!, (string)schedule["overlap"]!));
        Assert.EndsWith($"/{schedule["last_job_id"]}", run.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.Null(asleep["next_run_at"]);
        Assert.EndsWith("-01-01T02:00:00+00:00", (string)schedule["next_run_at"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "?limit=0")]
    [InlineData("GET", "?limit=201")]
    [InlineData("GET", "?limit=many")]
    [InlineData("GET", "?state=lost")]
    [InlineData("GET", "?after=1")]
    [InlineData("GET", "?from=yesterday")]
    [InlineData("GET", "?text=%00")]
    [InlineData("GET", "?kind=%00")]
    [InlineData("GET", "?min_attempts=x")]
    [InlineData("POST", "/replay", "{\"kind\": 7}")]
    [InlineData("POST", "/replay", "{\"kind\": \"test.step\", \"limit\": 0}")]
    [InlineData("POST", "/replay", "[]")]
    [InlineData("POST", "/replay", "null")]
    [InlineData("POST", "/00000000-0000-7000-8000-000000000000/replay", "{")]
    public async Task Bad_input_is_told_so(string method, string path, string? body = null)
    {
        using var admin = site.Client();
        using var request = new HttpRequestMessage(new(method), $"{Root}{path}");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");

        using var answer = await admin.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("GET", "/7")]
    [InlineData("GET", "/00000000-0000-7000-8000-000000000000")]
    [InlineData("POST", "/00000000-0000-7000-8000-000000000000/cancel")]
    [InlineData("POST", "/00000000-0000-7000-8000-000000000000/retry")]
    [InlineData("POST", "/00000000-0000-7000-8000-000000000000/replay")]
    [InlineData("DELETE", "/00000000-0000-7000-8000-000000000000")]
    [InlineData("GET", "/00000000-0000-7000-8000-000000000000/events")]
    [InlineData("POST", "/kinds/%00/pause")]
    [InlineData("POST", "/schedules/%00/pause")]
    public async Task What_is_not_there_is_not_found(string method, string path)
    {
        using var admin = site.Client();

        using var answer = await admin.SendAsync(new HttpRequestMessage(new(method), $"{Root}{path}"), Ct);

        Assert.InRange((int)answer.StatusCode, 400, 404);
    }

    private static async Task SeesAsync(HttpClient client, Guid[] sees, Guid[] not)
    {
        using var own = client;
        var listed = await IdsAsync(client, "?limit=200");
        foreach (var (id, isHis) in sees.Select(id => (id, true)).Concat(not.Select(id => (id, false))))
        {
            using var one = await client.GetAsync($"{Root}/{id}", Ct);
            Assert.Equal((isHis, isHis ? HttpStatusCode.OK : HttpStatusCode.NotFound), (listed.Contains(id), one.StatusCode));
        }
    }

    private static async Task<List<Guid>> IdsAsync(HttpClient client, string query) =>
        [.. (await OuterSite.ReadAsync(client, $"{Root}{query}"))["items"]!.AsArray().Select(item => (Guid)item!["id"]!)];
}
