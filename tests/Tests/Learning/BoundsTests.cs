using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Learning.Privacy;
using Stoa.Platform.Privacy;

namespace Stoa.Tests.Learning;

/// <summary>How far somebody gets who goes to the edge of what he may.</summary>
public sealed class BoundsTests(BoundsTests.SharedSchool shared) : IClassFixture<BoundsTests.SharedSchool>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private School School => shared.School;

    private LearningSite Site => shared.School.Site;

    [Fact]
    public async Task Messages_of_other_days_make_no_streak()
    {
        var school = await School.OpenAsync(Site, "streaks");
        var today = TimeProvider.System.GetUtcNow();

        var said = await SayAsync(
            school, school.Learner, school.Questions[0], [.. Enumerable.Range(0, 6).Select(day => today.AddDays(-day))]);
        var streak = await Site.GetAsync(school.Learner, $"/users/{school.Learner.Id}/streak?cohort_id={school.Cohort}");
        var days = await Site.GetAsync(school.Learner, $"/users/{school.Learner.Id}/active_days?days=30&cohort_id={school.Cohort}");
        var board = await Site.GetAsync(school.Learner, $"/cohorts/{school.Cohort}/leaderboard");

        Assert.StartsWith($"{today.AddDays(-5):yyyy-MM-dd}", (string)said[6]!["created_at"]!, StringComparison.Ordinal);
        Assert.Equal((1, 1), ((int)streak["streak_count"]!, days.AsArray().Count));
        Assert.Equal(1, board["stats"]!.AsArray().Max(entry => (int)entry!["streak_count"]!));
    }

    [Fact]
    public async Task A_mentor_of_one_cohort_does_not_read_what_his_learner_does_in_another()
    {
        var school = await School.OpenAsync(Site, "cohorts");
        // Another cohort takes the course too, and the learner is in a third one of this mentor, which does not.
        var (second, third) = (await CohortAsync(school, "Second"), await CohortAsync(school, "Third"));
        await Site.PostAsync(school.Owner, $"/cohorts/{second}/courses", new JsonObject { ["course_ids"] = new JsonArray(school.Course) });
        var mentor = await Site.SignInAsync("mentor-of-others@cohorts.org");
        await JoinAsync(school, second, mentor, "mentor");
        await JoinAsync(school, third, mentor, "mentor");
        await JoinAsync(school, third, school.Learner, "learner");
        await JoinAsync(school, second, school.Other, "learner");
        var answer = await SayAsync(school, school.Learner, school.Questions[0], [TimeProvider.System.GetUtcNow()]);

        List<string> asked = [];
        foreach (var (learner, path) in from learner in (Learner[])[school.Learner, school.Other]
                                        from path in (string[])[
                                            $"/cohorts/{second}/completion?user_id={learner.Id}",
                                            $"/users/{learner.Id}/streak?cohort_id={second}",
                                            $"/users/{learner.Id}/active_days?days=3&cohort_id={second}",
                                            $"/tasks/cohort/{second}/user/{learner.Id}/completed"]
                                        select (learner, path))
        {
            Assert.Equal(learner == school.Learner ? "403 Forbidden" : "200 ", await Site.StatusesAsync(mentor, HttpMethod.Get, path));
        }
        foreach (var (caller, learner) in ((Learner, Learner)[])[(school.Mentor, school.Learner),
            (mentor, school.Learner), (mentor, school.Other)])
        {
            asked.Add(await Site.StatusesAsync(caller, HttpMethod.Get, $"/chat/user/{learner.Id}/task/{school.Quiz}"));
            asked.Add(await Site.StatusesAsync(caller, HttpMethod.Get, $"/milestones/metrics/user/{learner.Id}/course/{school.Course}"));
        }
        asked.Add(await Site.StatusesAsync(mentor, HttpMethod.Get, $"/chat/{answer[1]!["id"]}/grades"));
        asked.Add(await Site.StatusesAsync(school.Mentor, HttpMethod.Get, $"/chat/{answer[1]!["id"]}/grades"));

        Assert.Equal(["200 ", "200 ", "403 Forbidden", "403 Forbidden", "200 ", "200 ", "404 Message not found", "200 "], asked);
    }

    [Fact]
    public async Task What_a_school_has_said_comes_in_pages_that_are_not_too_large()
    {
        var school = await School.OpenAsync(Site, "pages");
        await Site.SqlAsync($"""
            insert into learning.chat_history (user_id, question_id, role, content, created_at)
            select {school.Learner.Id}, {school.Questions[0]}, 'user', repeat(chr(64 + n), 5 << 20), now() + n * interval '1 second' from generate_series(1, 6) as n
            """);

        List<string> pages = [];
        for (var path = $"/learning/chat/?org_id={school.Org}"; path.Length > 0;)
        {
            using var request =
                new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = new("Bearer", school.Owner.Token) } };
            using var answer = await Site.Host.Client.SendAsync(request, Ct);
            var page = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!.AsArray();
            pages.Add(string.Concat(page.Select(message => ((string)message!["content"]!)[0])));
            path = answer.Headers.TryGetValues("Link", out var next) ? $"/learning/chat/{next.Single().Split('<', '>')[1]}" : "";
        }

        Assert.Equal(["ABCD", "EF"], pages);
        Assert.Equal(2, (await Site.GetAsync(school.Owner, $"/chat/?org_id={school.Org}&limit=2")).AsArray().Count);
    }

    [Fact]
    public async Task Lists_come_in_parts_for_who_wants_no_more()
    {
        var school = await School.OpenAsync(Site, "lists");
        foreach (var number in Enumerable.Range(0, 3))
        {
            await Site.MakeAsync(school.Owner, "/courses/", new JsonObject { ["name"] = $"Course {number}", ["org_id"] = school.Org });
            await CohortAsync(school, $"Cohort {number}");
            await Site.MakeAsync(school.Owner, "/batches/", new JsonObject { ["name"] = $"Batch {number}", ["cohort_id"] = school.Cohort });
            await Site.PostAsync(school.Owner, "/scorecards/",
                new JsonObject { ["title"] = $"Card {number}", ["criteria"] = new JsonArray(), ["org_id"] = school.Org });
            await Site.PostAsync(school.Owner, $"/organizations/{school.Org}/api_keys", new JsonObject { ["name"] = $"{number}" });
        }

        foreach (var path in (string[])[
            $"/courses/?org_id={school.Org}", $"/cohorts/?org_id={school.Org}",
            $"/milestones/?org_id={school.Org}", $"/scorecards/?org_id={school.Org}",
            $"/batches/?cohort_id={school.Cohort}", $"/organizations/{school.Org}/api_keys?x=y"])
        {
            var all = (await Site.GetAsync(school.Owner, path)).AsArray();
            var first = (await Site.GetAsync(school.Owner, $"{path}&limit=1")).AsArray();
            var rest = (await Site.GetAsync(school.Owner, $"{path}&after={first[0]!["id"]}")).AsArray();

            Assert.True(all.Count >= 2, path);
            Assert.Equal(all.Select(one => (int)one!["id"]!), first.Concat(rest).Select(one => (int)one!["id"]!));
        }
    }

    [Fact]
    public async Task Nobody_comes_in_whose_address_belongs_to_somebody_suspended()
    {
        var learner = await Site.SignInAsync("two-of-them@bounds.org");
        // Somebody else has the address, and a password, and nobody knows whether it is his.
        await Site.SqlAsync($"""
            update learning.users set person_id = null where id = {learner.Id};
            update platform.people set password_hash = 'x', email_verified_at = null where email_key = '{learner.Email}';
            delete from platform.external_accounts where person_id = (select id from platform.people where email_key = '{learner.Email}');
            """);
        var body = new JsonObject { ["email"] = learner.Email, ["given_name"] = "Ada", ["id_token"] = Site.IdToken(learner.Email) };
        var (before, after) = ("/auth/login", $"/users/{learner.Id}/orgs");
        string[] active =
            [await Site.StatusesAsync(null, HttpMethod.Post, before, body), await Site.StatusesAsync(learner, HttpMethod.Get, after)];

        await Site.SqlAsync($"update platform.people set state = 'suspended' where email_key = '{learner.Email}'");
        string[] suspended =
            [await Site.StatusesAsync(null, HttpMethod.Post, before, body), await Site.StatusesAsync(learner, HttpMethod.Get, after)];

        Assert.Equal(["200 ", "200 "], active);
        Assert.Equal(["403 Forbidden", "401 Not authenticated"], suspended);
    }

    [Theory]
    [InlineData("GET", "/learning/_svc/the-secret/no/such/thing")]
    [InlineData("DELETE", "/learning/_svc/the-secret/users/1")]
    [InlineData("GET", "/Learning/_SVC/the-secret")]
    [InlineData("GET", "/learning/_svc/the-secret/users/one")]
    public async Task No_trace_names_the_secret_of_the_front_ends_server(string method, string path)
    {
        List<string> seen = [];
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span => seen.Add($"{span.DisplayName} {string.Join(' ', span.TagObjects.Select(tag => tag.Value))}"),
        };
        ActivitySource.AddActivityListener(listener);

        using var request = new HttpRequestMessage(new(method), path);
        using var answer = await Site.Host.Client.SendAsync(request, Ct);

        Assert.InRange((int)answer.StatusCode, 400, 422);
        Assert.DoesNotContain("the-secret", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.DoesNotContain(seen, span => span.Contains("the-secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_runs_the_school_no_longer_hears_no_longer_of_its_courses()
    {
        await using var site = await LearningSite.StartAsync(new HastyClock());
        var school = await School.OpenAsync(site, "hasty");
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {school.Admin.Token}");
        var address =
            new UriBuilder(site.Host.Client.BaseAddress!) { Scheme = "ws", Path = $"/learning/ws/course/{school.Course}/generation" };
        await socket.ConnectAsync(address.Uri, Ct);

        await site.DeleteAsync(
            school.Owner, $"/organizations/{school.Org}/members", new JsonObject { ["user_ids"] = new JsonArray(school.Admin.Id) });
        var end = await socket.ReceiveAsync(new byte[64], Ct);

        Assert.Equal((WebSocketMessageType.Close, 4403), (end.MessageType, (int)socket.CloseStatus!));
    }

    [Fact]
    public async Task Who_is_erased_takes_his_pictures_along_but_for_those_that_a_school_goes_on_with()
    {
        var school = await School.OpenAsync(Site, "pictures");
        var alone = await Site.MakeAsync(
            school.Owner, "/organizations/", new JsonObject { ["name"] = "Alone", ["slug"] = "alone", ["user_id"] = school.Owner.Id });
        var course = await Site.MakeAsync(school.Owner, "/courses/", new JsonObject { ["name"] = "Alone", ["org_id"] = alone });
        var module = await Site.MakeAsync(
            school.Owner, $"/courses/{course}/milestones", new JsonObject { ["name"] = "Alone", ["color"] = "#111111" });
        var task = await Site.MakeAsync(school.Owner, "/tasks/",
            new JsonObject { ["course_id"] = course, ["milestone_id"] = module, ["type"] = "learning_material", ["title"] = "t" });
        var (shown, unused, ofAlone) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await Site.SqlAsync($"""
            insert into learning.files (id, user_id, extension, content_type, created_at)
            select id, {school.Owner.Id}, 'png', 'image/png', now() from unnest(array['{shown}', '{unused}', '{ofAlone}']::uuid[]) as id
            """);
        await ShowAsync(school, school.Material, shown);
        await ShowAsync(school, task, ofAlone);
        var person = await Site.ValueAsync<Guid>($"select person_id from learning.users where id = {school.Owner.Id}");

        await using (var scope = Site.Host.Services.CreateAsyncScope())
        {
            await scope.ServiceProvider.GetServices<IPersonalData>().OfType<LearningData>().Single().EraseAsync(person, Ct);
        }

        Assert.Equal(shown, await Site.ValueAsync<Guid>($"select id from learning.files where user_id = {school.Owner.Id}"));
        Assert.Equal(1L, await Site.ValueAsync<long>($"select count(*) from learning.files where user_id = {school.Owner.Id}"));
    }

    private static Task<JsonNode> ShowAsync(School school, int task, Guid picture) =>
        school.Site.PostAsync(school.Owner, $"/tasks/{task}/learning_material", new JsonObject
        {
            ["title"] = "Pictures", ["blocks"] = new JsonArray(new JsonObject
            {
                ["type"] = "image", ["props"] = new JsonObject { ["url"] = $"https://school.example/learning/uploads/{picture}.png" },
            }),
        });

    private static Task<int> CohortAsync(School school, string name) =>
        school.Site.MakeAsync(school.Owner, "/cohorts/", new JsonObject { ["name"] = name, ["org_id"] = school.Org });

    private static Task<JsonNode> JoinAsync(School school, int cohort, Learner who, string role) => school.Site.PostAsync(
        school.Owner, $"/cohorts/{cohort}/members",
        new JsonObject { ["org_id"] = school.Org, ["emails"] = new JsonArray(who.Email), ["roles"] = new JsonArray(role) });

    /// <summary>A learner's words at each of these times, the tutor's behind the first of them.</summary>
    private static async Task<JsonArray> SayAsync(School school, Learner learner, int question, DateTimeOffset[] times)
    {
        var messages = new JsonArray([.. times.Select(at => Message("user", at))]);
        messages.Insert(1, Message("assistant", times[0]));
        var said = await school.Site.PostAsync(learner, "/chat/", new JsonObject
        {
            ["user_id"] = learner.Id, ["question_id"] = question, ["is_complete"] = false, ["messages"] = messages,
        });
        return said.AsArray();

        static JsonObject Message(string role, DateTimeOffset at) => new()
        {
            ["role"] = role, ["content"] = "{}", ["created_at"] = at.ToString("o", CultureInfo.InvariantCulture),
        };
    }

    public sealed class SharedSchool : IAsyncLifetime
    {
        internal School School { get; private set; } = null!;

        public async ValueTask InitializeAsync() => School = await School.OpenAsync(
            await LearningSite.StartAsync(("Learning:Auth:ServiceTokens:0", "a secret of the front end's server")), "bounds");

        public ValueTask DisposeAsync() => School.Site.DisposeAsync();
    }

    /// <summary>The time of day, by which a quarter of a minute is a moment.</summary>
    private sealed class HastyClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var isLong = period == TimeSpan.FromSeconds(15);
            return System.CreateTimer(callback, state, isLong ? dueTime / 100 : dueTime, isLong ? period / 100 : period);
        }
    }
}
