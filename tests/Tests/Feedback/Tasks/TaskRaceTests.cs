using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Stoa.Tests.Feedback.Tasks;

/// <summary>Many at once, one effect.</summary>
public sealed class TaskRaceTests(SharedFeedback shared) : IClassFixture<SharedFeedback>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_id_acknowledges_one_task()
    {
        var site = await shared.FreshAsync();
        List<string> tasks = [];
        for (var i = 0; i < 20; i++)
        {
            tasks.Add((string)(await site.RequestAsync($"user{i}", "initial_prompt")).Body!["id"]!);
        }

        var answers = await Task.WhenAll(tasks.Select(id => site.PostAsync($"/tasks/{id}/ack", new { message_id = "same" })));

        Assert.Single(answers, answer => answer.Status == 204);
        Assert.Equal(19, answers.Count(answer => answer.Status == 400 && (int)answer.Body!["error_code"]! == 2103));
        Assert.Equal(1, await site.ScalarAsync<long>("select count(*) from feedback.task where frontend_message_id = 'same'"));
    }

    [Fact]
    public async Task Who_acknowledges_at_the_same_time_as_others_is_answered_for_himself()
    {
        var site = await shared.FreshAsync();
        List<string> tasks = [];
        for (var i = 0; i < 16; i++)
        {
            tasks.Add((string)(await site.RequestAsync($"user{i}", "initial_prompt")).Body!["id"]!);
        }
        const string Nobody = "0190a000-0000-7000-8000-000000000000";
        (string Task, string Message)[] sent =
        [
            .. tasks.Skip(4).Select((task, i) => (task, $"own{i}")), (tasks[2], "twice"),
            (tasks[2], "twice"), (tasks[3], "either"), (tasks[3], "or"),
            (Nobody, "nothing"),
        ];

        var ended = await AcknowledgeAsync(site, sent);
        // The first two pass each other's look at what is there and are refused to the group, if they are in one.
        var others =
            await AcknowledgeAsync(site, [(tasks[0], "one for two"), (tasks[1], "one for two"), (tasks[4], "own0"), (Nobody, "nothing")]);

        Assert.All(ended.Take(14), one => Assert.Equal(204, one.Status));
        Assert.Equal([(204, 0), (400, 2103)], others.Take(2).Select(one => (one.Status, one.Code)).Order());
        Assert.Equal([(204, 0), (404, 2100)], others.Skip(2).Select(one => (one.Status, one.Code)));
        Assert.Equal([(204, 0), (400, 2103)], ended.Where(one => one.Task == tasks[3]).Select(one => (one.Status, one.Code)).Order());
        Assert.Equal((404, 2100), (ended[^1].Status, ended[^1].Code));
        Assert.Equal(15, await site.ScalarAsync<long>("select count(*) from feedback.journal where event_type = 'task_ack'"));
        Assert.Equal(
            Enumerable.Range(0, 12).Select(i => $"own{i} user{i + 4}").Order(StringComparer.Ordinal),
            (await site.ScalarAsync<string[]>("""
                select array_agg(t.frontend_message_id || ' ' || u.username) from feedback.task t join feedback.user u on u.id = t.user_id
                where t.ack and t.frontend_message_id like 'own%'
                """)).Order(StringComparer.Ordinal));
    }

    private static async Task<(string Task, int Status, int Code)[]> AcknowledgeAsync(
        FeedbackSite site, (string Task, string Message)[] sent)
    {
        var answers = await Task.WhenAll(sent.Select(one => site.PostAsync($"/tasks/{one.Task}/ack", new { message_id = one.Message })));
        return [.. sent.Zip(answers, (one, answer) => (one.Task, answer.Status, (int?)answer.Body?["error_code"] ?? 0))];
    }

    [Fact]
    public async Task Who_asks_at_the_same_time_as_others_is_answered_for_himself()
    {
        var site = await shared.FreshAsync();
        string[] users = [.. Enumerable.Range(0, 24).Select(i => $"user{i}")];
        foreach (var known in users.Take(12))
        {
            await site.RequestAsync(known, "initial_prompt");
        }
        await site.ScalarAsync<int>(
            "with barred as (update feedback.user set enabled = false where username in ('user3', 'user8') returning 1) select count(*)::int from barred");

        // The other half is new; some wish for what there is not.
        var answers =
            await Task.WhenAll(users.Select((user, i) => site.RequestAsync(user, i % 6 == 5 ? "rank_prompter_replies" : "initial_prompt")));

        for (var i = 0; i < users.Length; i++)
        {
            var (status, body) = answers[i];
            if (users[i] is "user3" or "user8")
            {
                Assert.Equal((503, 4001), (status, (int)body!["error_code"]!));
                continue;
            }
            if (i % 6 == 5)
            {
                Assert.Equal((503, 1006), (status, (int)body!["error_code"]!));
                continue;
            }
            Assert.Equal(200, status);
            Assert.Equal(users[i], await site.ScalarAsync<string>(
                $"select u.username::text from feedback.task t join feedback.user u on u.id = t.user_id where t.id = '{body!["id"]}'"));
        }
    }

    [Fact]
    public async Task Who_asks_at_the_same_time_as_others_sees_the_conversation_of_his_own_task()
    {
        var site = await shared.FreshAsync();
        for (var i = 0; i < 4; i++)
        {
            await site.GrowingTreeAsync($"author{i}");
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => site.RequestAsync($"user{i}", "assistant_reply")));

        var given = answers.Where(answer => answer.Status == 200).Select(answer => answer.Body!).ToList();
        Assert.Equal(4, given.Count);
        foreach (var task in given)
        {
            Assert.Equal(
                await site.ScalarAsync<string>(
                    $"select m.text from feedback.task t join feedback.message m on m.id = t.parent_message_id where t.id = '{task["id"]}'"),
                (string)Assert.Single(task["conversation"]!["messages"]!.AsArray())!["text"]!);
        }
    }

    [Fact]
    public async Task Who_is_at_work_elsewhere_keeps_nobody_else_from_a_task()
    {
        var site = await shared.FreshAsync();
        await site.RequestAsync("held", "initial_prompt");
        await using var elsewhere = await site.Host.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(Ct);
        await using var work = await elsewhere.BeginTransactionAsync(Ct);
        await using var hold = new NpgsqlCommand("select 1 from feedback.user where username = 'held' for update", elsewhere, work);
        await hold.ExecuteScalarAsync(Ct);

        var late = site.RequestAsync("held", "initial_prompt");
        var others = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => site.RequestAsync($"user{i}", "initial_prompt")));

        Assert.All(others, answer => Assert.Equal(200, answer.Status));
        Assert.False(late.IsCompleted);
        await work.RollbackAsync(Ct);
        Assert.Equal(200, (await late).Status);
    }

    [Fact]
    public async Task A_task_that_is_held_elsewhere_keeps_no_other_from_being_acknowledged()
    {
        var site = await shared.FreshAsync();
        List<string> tasks = [];
        for (var i = 0; i < 12; i++)
        {
            tasks.Add((string)(await site.RequestAsync($"user{i}", "initial_prompt")).Body!["id"]!);
        }
        await using var elsewhere = await site.Host.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(Ct);
        await using var work = await elsewhere.BeginTransactionAsync(Ct);
        await using var hold = new NpgsqlCommand($"select 1 from feedback.task where id = '{tasks[0]}' for update", elsewhere, work);
        await hold.ExecuteScalarAsync(Ct);

        var late = AcknowledgeAsync(site, [(tasks[0], "late")]);
        var others = await AcknowledgeAsync(site, [.. tasks.Skip(1).Select((task, i) => (task, $"own{i}"))]);

        Assert.All(others, one => Assert.Equal(204, one.Status));
        Assert.False(late.IsCompleted);
        await work.RollbackAsync(Ct);
        Assert.Equal(204, Assert.Single(await late).Status);
    }

    [Fact]
    public async Task A_user_gets_no_more_open_tasks_than_he_may()
    {
        var site = await shared.FreshAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => site.RequestAsync("eager", "initial_prompt")));

        Assert.Equal(8, answers.Count(answer => answer.Status == 200));
        Assert.Equal(16, answers.Count(answer => answer.Status == 400 && (int)answer.Body!["error_code"]! == 1012));
    }

    [Fact]
    public async Task A_parent_is_handed_out_once()
    {
        var site = await shared.FreshAsync();
        await site.GrowingTreeAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => site.RequestAsync($"user{i}", "assistant_reply")));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.Equal(19, answers.Count(answer => answer.Status == 503));
    }

    /// <summary>The search is planned while there are no offers, as after a start, and then meets some.</summary>
    [Fact]
    public async Task One_offer_is_taken_whatever_the_planner_expected()
    {
        await using var site = await FeedbackSite.StartAsync();
        await site.ScalarAsync<object>("analyze feedback.offer; select 1");
        Assert.Equal(503, (await site.RequestAsync("early", "label_initial_prompt")).Status);
        for (var i = 0; i < 12; i++)
        {
            await site.WriteAsync($"author{i}", "initial_prompt");
        }

        var (status, _) = await site.RequestAsync("reviewer", "label_initial_prompt");

        Assert.Equal(200, status);
        Assert.Equal(1, await site.ScalarAsync<long>("select count(*) from feedback.offer where held <> '{}'"));
    }

    [Fact]
    public async Task A_message_is_handed_to_as_many_reviewers_as_it_wants()
    {
        var site = await shared.FreshAsync();
        await site.WriteAsync("author", "initial_prompt");
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => site.RequestAsync($"user{i}", "label_initial_prompt")));

        Assert.InRange(answers.Count(answer => answer.Status == 200), 1, 3);
        Assert.All(answers, answer => Assert.Contains(answer.Status, (int[])[200, 503]));
    }

    [Fact]
    public async Task An_answer_sent_twenty_times_counts_once()
    {
        var site = await shared.FreshAsync();
        await site.GrowingTreeAsync();
        var (_, id) = await site.TakeAsync("author2", "assistant_reply");

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => site.ReplyAsync("author2", id, $"copy{i}", $"Text {i}")));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.All(answers, answer => Assert.Contains(answer.Status, (int[])[200, 400]));
        Assert.Equal(2, await site.ScalarAsync<long>("select count(*) from feedback.message"));
    }

    [Fact]
    public async Task The_last_place_of_a_parent_is_given_once()
    {
        var site = await shared.FreshAsync(rules => (rules.MaxChildrenCount, rules.RecentTasksSpanSec) = (1, 1));
        var tree = await site.GrowingTreeAsync();
        List<(string User, string Id)> held = [];
        foreach (var user in (string[])["first", "second"])
        {
            // What the one holds is let go, as time would do it.
            await site.ScalarAsync<int>(
                "with all_free as (update feedback.offer set held = '{}' returning 1) select count(*)::int from all_free");
            held.Add((user, (await site.TakeAsync(user, "assistant_reply")).FrontendId));
        }

        var answers = await Task.WhenAll(held.Select(one => site.ReplyAsync(one.User, one.Id, $"of-{one.User}", $"Text of {one.User}")));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.Single(answers, answer => answer.Status == 400 && (int)answer.Body!["error_code"]! == 2010);
        Assert.Single((await site.GetAsync($"/messages/{tree}/children")).AsArray());
    }

    [Fact]
    public async Task Parallel_emojis_are_all_answered_and_counted()
    {
        var site = await shared.FreshAsync();
        var tree = await site.GrowingTreeAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => site.PostAsync($"/messages/{tree}/emoji", new JsonObject
        {
            ["user"] = FeedbackSite.User($"fan{i % 10}"),
            ["emoji"] = "heart_eyes",
        })));

        Assert.All(answers, answer => Assert.Equal(202, answer.Status));
        // Each toggles three times: on, off, on.
        Assert.Equal(10, (int)(await site.GetAsync($"/messages/{tree}"))["emojis"]!["heart_eyes"]!);
        Assert.Equal(10, await site.ScalarAsync<long>("select count(*) from feedback.message_emoji where emoji = 'heart_eyes'"));
    }

    [Fact]
    public async Task Parallel_labels_of_different_users_are_all_kept()
    {
        var site = await shared.FreshAsync();
        var tree = await site.GrowingTreeAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => site.PostAsync("/text_labels/", new JsonObject
        {
            ["type"] = "text_labels",
            ["user"] = FeedbackSite.User($"labeler{i}"),
            ["text"] = "x",
            ["labels"] = new JsonArray(),
            ["message_id"] = tree,
            ["is_report"] = i < 2,
        })));

        Assert.All(answers, answer => Assert.Equal(204, answer.Status));
        Assert.Equal(12, await site.ScalarAsync<long>("select count(*) from feedback.text_labels where task_id is null"));
        Assert.Equal(2, (int)(await site.GetAsync($"/messages/{tree}"))["emojis"]!["red_flag"]!);
    }
}
