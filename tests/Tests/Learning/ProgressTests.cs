using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Learning.Progress;

namespace Stoa.Tests.Learning;

public sealed class ProgressTests(SharedLearningSite shared) : IClassFixture<SharedLearningSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_learner_completes_counts_at_once_on_every_board()
    {
        await using var site = await LearningSite.StartAsync();
        var school = await School.OpenAsync(site, "own");
        Assert.Equal((0, 0), await StreaksAndTasksAsync(school, school.Learner));

        await school.CompleteAsync(school.Learner, school.Material);
        await school.CompleteAsync(school.Learner, school.Material);
        Assert.Equal((1, 1), await StreaksAndTasksAsync(school, school.Learner));
        await CompleteQuestionAsync(school, school.Learner, school.Questions[0]);
        Assert.Equal((1, 1), await StreaksAndTasksAsync(school, school.Learner));
        await CompleteQuestionAsync(school, school.Learner, school.Questions[1]);

        var board = await site.GetAsync(school.Learner, $"/cohorts/{school.Cohort}/leaderboard");
        Assert.Equal([school.Learner.Id, school.Other.Id], board["stats"]!.AsArray().Select(entry => (int)entry!["user"]!["id"]!));
        Assert.Equal([2, 0], board["stats"]!.AsArray().Select(entry => (int)entry!["tasks_completed"]!));
        Assert.Equal(3, (int)board["metadata"]!["num_tasks"]!);
        var completion = await site.GetAsync(school.Learner, $"/cohorts/{school.Cohort}/completion?user_id={school.Learner.Id}");
        Assert.Equal(
            """{"material":{"is_complete":true},"quiz":{"is_complete":true,"questions":[{"question_id":1,"is_complete":true},{"question_id":2,"is_complete":true}]},"assignment":{"is_complete":false}}""",
            completion.ToJsonString().Replace($"\"{school.Material}\"", "\"material\"", StringComparison.Ordinal)
                .Replace($"\"{school.Quiz}\"", "\"quiz\"", StringComparison.Ordinal)
                .Replace($"\"{school.Assignment}\"", "\"assignment\"", StringComparison.Ordinal));
        var metrics = await site.GetAsync(school.Mentor, $"/cohorts/{school.Cohort}/courses/{school.Course}/metrics");
        Assert.Equal(1.0 / 3, (double)metrics["average_completion"]!, 9);
        Assert.Equal((3, 1), ((int)metrics["num_tasks"]!, (int)metrics["num_active_learners"]!));
        var quiz = metrics["task_type_metrics"]!["quiz"]!;
        Assert.Equal((0.5, 1), ((double)quiz["completion_rate"]!, (int)quiz["count"]!));
        Assert.Equal([(school.Learner.Id, 1), (school.Other.Id, 0)],
            quiz["completions"]!.AsObject().Select(one => (int.Parse(one.Key, CultureInfo.InvariantCulture), (int)one.Value!)));
        var completed =
            await site.GetAsync(school.Mentor, $"/tasks/cohort/{school.Cohort}/user/{school.Learner.Id}/completed?view=This%20month");
        Assert.Equal([school.Material, school.Quiz], completed.AsArray().Select(id => (int)id!));
        var modules = await site.GetAsync(school.Learner, $"/milestones/metrics/user/{school.Learner.Id}/course/{school.Course}");
        Assert.Equal([2, 0], modules.AsArray().Select(module => (int)module!["completed_tasks"]!));
        var grid = await site.GetAsync(
            school.Mentor, $"/cohorts/{school.Cohort}/task_metrics?task_ids={school.Quiz}&task_ids={school.Assignment}");
        Assert.Equal((1, 1, 0),
            ((int)grid[0]!["num_completed"]!, (int)grid[0]![$"task_{school.Quiz}"]!, (int)grid[0]![$"task_{school.Assignment}"]!));
    }

    [Fact]
    public async Task A_board_is_ordered_by_streaks_then_by_tasks_then_by_who_came_first()
    {
        var (site, school) = (shared.Site, await shared.OpenSchoolAsync());
        List<int> learners = [school.Learner.Id, school.Other.Id];
        foreach (var name in (string[])["third", "fourth"])
        {
            var learner = await site.SignInAsync($"{name}@own.org");
            await site.PostAsync(school.Owner, $"/cohorts/{school.Cohort}/members", new JsonObject
            {
                ["org_id"] = school.Org, ["emails"] = new JsonArray(learner.Email), ["roles"] = new JsonArray("learner"),
            });
            learners.Add(learner.Id);
        }
        await site.GetAsync(school.Owner, $"/cohorts/{school.Cohort}/leaderboard");
        var today = TimeProvider.System.GetUtcNow().AddHours(5.5).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        // The first has more tasks than anybody and a streak that is over; the second and the last are alike.
        await site.SqlAsync($"""
            delete from learning.standings where cohort_id = {school.Cohort};
            insert into learning.standings (cohort_id, user_id, tasks_completed, streak_days, streak_end) values
              ({school.Cohort}, {learners[0]}, 70000, 9, '2001-01-01'), ({school.Cohort}, {learners[1]}, 3, 2, '{today}'),
              ({school.Cohort}, {learners[2]}, 2, 3, '{today}'), ({school.Cohort}, {learners[3]}, 3, 2, '{today}')
            """);

        var board = (await site.GetAsync(school.Learner, $"/cohorts/{school.Cohort}/leaderboard"))["stats"]!.AsArray();
        var batch = (await site.GetAsync(
            school.Owner, $"/cohorts/{school.Cohort}/leaderboard?batch_id={school.Batch}"))["stats"]!.AsArray();
        var streaks = (await site.GetAsync(school.Learner, $"/cohorts/{school.Cohort}/streaks")).AsArray();

        Assert.Equal(
            [(learners[2], 3, 2), (learners[1], 2, 3), (learners[3], 2, 3), (learners[0], 0, 70000)],
            board.Select(entry => ((int)entry!["user"]!["id"]!, (int)entry["streak_count"]!, (int)entry["tasks_completed"]!)));
        Assert.Equal([learners[1], learners[0]], batch.Select(entry => (int)entry!["user"]!["id"]!));
        Assert.Equal([learners[2], learners[1], learners[3], learners[0]], streaks.Select(entry => (int)entry!["user"]!["id"]!));
    }

    [Fact]
    public async Task A_streak_is_the_days_in_a_row_up_to_today_or_yesterday_by_the_schools_clock()
    {
        await using var site = await LearningSite.StartAsync();
        var school = await School.OpenAsync(site, "own");
        // Three days up to yesterday, and one long before; all on one question.
        foreach (var days in (int[])[1, 2, 3, 7])
        {
            await MessageAsync(school, school.Learner, days);
        }
        await RecountAsync(school);

        var streak = await site.GetAsync(school.Learner, $"/users/{school.Learner.Id}/streak?cohort_id={school.Cohort}");
        Assert.Equal(3, (int)streak["streak_count"]!);
        Assert.Equal(3, streak["active_days"]!.AsArray().Count);
        Assert.Equal(4, (await site.GetAsync(school.Learner, $"/users/{school.Learner.Id}/active_days?days=10&cohort_id={school.Cohort}"))
            .AsArray().Count);
        var year = TimeProvider.System.GetUtcNow().AddHours(5.5).AddDays(-1).Year;
        Assert.InRange(
            (await site.GetAsync(school.Learner, $"/users/{school.Learner.Id}/activity/{year}")).AsArray().Sum(count => (int)count!), 1, 4);

        await school.CompleteAsync(school.Learner, school.Material);
        Assert.Equal((4, 1), await StreaksAndTasksAsync(school, school.Learner));
        var streaks = await site.GetAsync(school.Other, $"/cohorts/{school.Cohort}/streaks?view=All%20time");
        Assert.Equal([4, 0], streaks.AsArray().Select(entry => (int)entry!["count"]!));

        await site.SqlAsync(
            "update learning.chat_history set created_at = created_at - interval '5 days'; delete from learning.task_completions");
        await RecountAsync(school);
        Assert.Equal((0, 0), await StreaksAndTasksAsync(school, school.Learner));
    }

    [Fact]
    public async Task Counted_piece_by_piece_is_the_same_as_counted_anew()
    {
        await using var site = await LearningSite.StartAsync();
        var school = await School.OpenAsync(site, "own");
        await site.GetAsync(school.Owner, $"/cohorts/{school.Cohort}/leaderboard");
        await school.CompleteAsync(school.Learner, school.Material);
        await CompleteQuestionAsync(school, school.Learner, school.Questions[0]);
        await CompleteQuestionAsync(school, school.Learner, school.Questions[1]);
        await school.CompleteAsync(school.Other, school.Assignment);
        await CompleteQuestionAsync(school, school.Other, school.Questions[1]);
        Assert.False(await site.ValueAsync<bool>("select bool_or(standings_stale) from learning.cohorts"));
        var piecewise = await RowsAsync(site);

        await RecountAsync(school);

        Assert.Equal(await RowsAsync(site), piecewise);
        Assert.Contains("\"tasks_completed\": 2", piecewise, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_waits_until_a_large_cohort_is_counted()
    {
        const int Many = 3_000;
        await using var site = await LearningSite.StartAsync();
        var school = await School.OpenAsync(site, "large");
        await school.CompleteAsync(school.Learner, school.Material);
        Assert.Equal((1, 1), await StreaksAndTasksAsync(school, school.Learner));
        await site.SqlAsync($"""
            with made as (insert into learning.users (email) select 'many-' || n || '@large.org'
              from generate_series(1, {Many}) as n returning id),
              joined as (insert into learning.user_cohorts (user_id, cohort_id, role) select id, {school.Cohort}, 'learner' from made)
            insert into learning.task_completions (user_id, task_id) select id, {school.Material} from made;
            insert into learning.task_completions (user_id, task_id) values ({school.Other.Id}, {school.Material});
            update learning.cohorts set standings_stale = true;
            """);
        var others = (long)Many + 2;

        // The board is the one before; a learner sees at once how he himself stands.
        Assert.Equal(1, await DoneAsync(school));
        Assert.Equal(
            1, (int)(await site.GetAsync(school.Other, $"/users/{school.Other.Id}/streak?cohort_id={school.Cohort}"))["streak_count"]!);
        await site.Host.RunJobsAsync();

        Assert.Equal(others, await DoneAsync(school));
        Assert.False(await site.ValueAsync<bool>($"select standings_stale from learning.cohorts where id = {school.Cohort}"));
        await site.DeleteAsync(
            school.Owner, $"/cohorts/{school.Cohort}/members", new JsonObject { ["member_ids"] = new JsonArray(school.Learner.Id) });
        await DoneAsync(school);
        await site.Host.RunJobsAsync();
        Assert.Equal(others - 1,
            await site.ValueAsync<long>($"select sum(tasks_completed) from learning.standings where cohort_id = {school.Cohort}"));
    }

    [Fact]
    public async Task A_count_that_was_given_up_begins_anew_when_somebody_looks()
    {
        await using var site = await LearningSite.StartAsync();
        var school = await School.OpenAsync(site, "own");
        await school.CompleteAsync(school.Learner, school.Material);
        Assert.Equal(1, await DoneAsync(school));
        // As it is left by a job that died over the first part for good.
        await site.SqlAsync("delete from learning.standings; update learning.cohorts set standings_counting = true");

        await DoneAsync(school);
        await site.Host.RunJobsAsync();

        Assert.Equal(1, await DoneAsync(school));
        Assert.False(await site.ValueAsync<bool>("select bool_or(standings_counting) from learning.cohorts"));
        Assert.Equal(0, await site.ValueAsync<long>("select count(*) from platform.jobs where kind = 'learning.count_cohort'"));
    }

    [Fact]
    public async Task A_board_follows_what_becomes_of_courses_and_members()
    {
        var (site, school) = (shared.Site, await shared.OpenSchoolAsync());
        await school.CompleteAsync(school.Learner, school.Material);
        var added = await school.AddMaterialAsync(school.Second);
        Assert.Equal(4, await TasksAsync(school));

        await site.DeleteAsync(school.Owner, $"/tasks/{school.Material}");
        Assert.Equal(3, await TasksAsync(school));
        Assert.Equal((0, 0), await StreaksAndTasksAsync(school, school.Learner));

        await school.CompleteAsync(school.Learner, added);
        await site.DeleteAsync(
            school.Owner, $"/cohorts/{school.Cohort}/courses", new JsonObject { ["course_ids"] = new JsonArray(school.Course) });
        Assert.Equal((0, 0), await StreaksAndTasksAsync(school, school.Learner));
        await school.LinkAsync();
        Assert.Equal((1, 1), await StreaksAndTasksAsync(school, school.Learner));

        await site.DeleteAsync(school.Owner, $"/cohorts/{school.Cohort}/members",
            new JsonObject { ["member_ids"] = new JsonArray(school.Learner.Id, school.Other.Id) });
        Assert.Equal("{}", (await site.GetAsync(school.Owner, $"/cohorts/{school.Cohort}/leaderboard")).ToJsonString());
        Assert.Equal("{}", (await site.GetAsync(school.Owner, $"/cohorts/{school.Cohort}/courses/{school.Course}/metrics")).ToJsonString());
        Assert.Equal("403 Forbidden", await site.StatusesAsync(school.Learner, HttpMethod.Get, $"/tasks/{added}"));
    }

    [Fact]
    public async Task A_batch_shows_its_own_learners_to_the_mentors_who_are_in_it()
    {
        var (site, school) = (shared.Site, await shared.OpenSchoolAsync());
        var batch = await site.MakeAsync(school.Owner, "/batches/",
            new JsonObject { ["name"] = "B", ["cohort_id"] = school.Cohort, ["user_ids"] = new JsonArray(school.Other.Id) });

        var board = await site.GetAsync(school.Owner, $"/cohorts/{school.Cohort}/leaderboard?batch_id={batch}");
        Assert.Equal([school.Other.Id], board["stats"]!.AsArray().Select(entry => (int)entry!["user"]!["id"]!));
        Assert.Equal("403 Forbidden",
            await site.StatusesAsync(school.Mentor, HttpMethod.Get, $"/cohorts/{school.Cohort}/leaderboard?batch_id={batch}"));
        Assert.Equal("403 Forbidden", await site.StatusesAsync(school.Mentor, HttpMethod.Get, $"/batches/{batch}"));
        Assert.Equal(2, (await site.GetAsync(
            school.Mentor, $"/cohorts/{school.Cohort}/leaderboard?batch_id={school.Batch}"))["stats"]!.AsArray().Count);
        Assert.Equal(
            "400 One or more users are already in the batch", await site.StatusesAsync(school.Owner, HttpMethod.Put, $"/batches/{batch}",
            new JsonObject { ["name"] = "B", ["members_added"] = new JsonArray(school.Other.Id) }));
        Assert.Equal("400 One or more users are not members of the cohort",
            await site.StatusesAsync(school.Owner, HttpMethod.Put, $"/batches/{batch}",
            new JsonObject { ["name"] = "B", ["members_added"] = new JsonArray(school.Owner.Id) }));
    }

    [Fact]
    public async Task Whoever_has_the_link_joins_as_a_learner_and_as_nothing_else()
    {
        await using var site = await LearningSite.StartAsync();
        var school = await School.OpenAsync(site, "own");
        var eve = await site.SignInAsync("eve@elsewhere.org");
        var body = new JsonObject { ["org_slug"] = "own",
            ["emails"] = new JsonArray("Eve@Elsewhere.org"), ["roles"] = new JsonArray("mentor") };
        var path = $"/cohorts/{school.Cohort}/members";

        Assert.Equal("403 Forbidden", await site.StatusesAsync(eve, HttpMethod.Post, path, body));
        body["roles"] = new JsonArray("learner");
        Assert.Equal("200 ", await site.StatusesAsync(eve, HttpMethod.Post, path, body));
        Assert.Equal("400 User already exists in cohort", await site.StatusesAsync(eve, HttpMethod.Post, path, body));
        Assert.True((bool)await site.GetAsync(eve, $"/users/{eve.Id}/cohort/{school.Cohort}/present"));
        body["emails"] = new JsonArray(school.Owner.Email);
        Assert.Equal("403 Forbidden", await site.StatusesAsync(eve, HttpMethod.Post, path, body));
        Assert.Equal("401 Cannot add an admin to the cohort.", await site.StatusesAsync(school.Owner, HttpMethod.Post, path, body));
        await site.SqlAsync("update learning.cohorts set self_join = false");
        body["emails"] = new JsonArray("bob@elsewhere.org");
        Assert.Equal("403 Forbidden", await site.StatusesAsync(await site.SignInAsync("bob@elsewhere.org"), HttpMethod.Post, path, body));
    }

    [Fact]
    public async Task The_last_owner_stays()
    {
        var (site, school) = (shared.Site, await shared.OpenSchoolAsync());

        Assert.Equal("400 An organization must keep at least one owner", await site.StatusesAsync(
            school.Admin, HttpMethod.Delete, $"/organizations/{school.Org}/members",
            new JsonObject { ["user_ids"] = new JsonArray(school.Owner.Id) }));
        await site.DeleteAsync(
            school.Owner, $"/organizations/{school.Org}/members", new JsonObject { ["user_ids"] = new JsonArray(school.Admin.Id) });
        Assert.Equal("403 Forbidden", await site.StatusesAsync(school.Admin, HttpMethod.Get, $"/courses/?org_id={school.Org}"));
    }

    private static async Task<(int Streak, int Tasks)> StreaksAndTasksAsync(School school, Learner learner)
    {
        var board = await school.Site.GetAsync(school.Owner, $"/cohorts/{school.Cohort}/leaderboard");
        var entry = board["stats"]!.AsArray().Single(entry => (int)entry!["user"]!["id"]! == learner.Id)!;
        return ((int)entry["streak_count"]!, (int)entry["tasks_completed"]!);
    }

    private static async Task<long> DoneAsync(School school) =>
        (await school.Site.GetAsync(school.Owner, $"/cohorts/{school.Cohort}/leaderboard"))["stats"]!.AsArray()
            .Sum(entry => (long)entry!["tasks_completed"]!);

    private static async Task<int> TasksAsync(School school) =>
        (int)(await school.Site.GetAsync(school.Owner, $"/cohorts/{school.Cohort}/leaderboard"))["metadata"]!["num_tasks"]!;

    private static Task MessageAsync(School school, Learner learner, int daysAgo) => school.Site.SqlAsync($"""
        insert into learning.chat_history (user_id, question_id, role, content, created_at)
        values ({learner.Id}, {school.Questions[0]}, 'user', 'x', now() - interval '{daysAgo} days')
        """);

    /// <summary>As the tutor does it.</summary>
    private static async Task CompleteQuestionAsync(School school, Learner learner, int question)
    {
        await school.Site.SqlAsync(
            $"insert into learning.task_completions (user_id, question_id, created_at) values ({learner.Id}, {question}, now())");
        await using var scope = school.Site.Host.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<Standings>().TouchAsync(learner.Id, school.Quiz, hasCompleted: true, Ct);
    }

    private static async Task RecountAsync(School school)
    {
        await school.Site.SqlAsync("update learning.cohorts set standings_stale = true");
        await school.Site.GetAsync(school.Owner, $"/cohorts/{school.Cohort}/leaderboard");
    }

    private static Task<string> RowsAsync(LearningSite site) => site.ValueAsync<string>("""
        select (select jsonb_agg(to_jsonb(s) order by cohort_id, user_id) from learning.standings s)::text
          || (select jsonb_agg(to_jsonb(s) order by cohort_id, course_id, user_id) from learning.course_standings s)::text
        """);
}
