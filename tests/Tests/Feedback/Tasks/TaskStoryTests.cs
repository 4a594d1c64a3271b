using System.Text.Json.Nodes;

namespace Stoa.Tests.Feedback.Tasks;

/// <summary>Trees from the prompt to the export, and the refusals on the way.</summary>
public sealed class TaskStoryTests(SharedFeedback shared) : IClassFixture<SharedFeedback>
{
    [Fact]
    public async Task A_tree_goes_from_its_prompt_to_the_export()
    {
        var site = await shared.FreshAsync(rules => rules.GoalTreeSize = 4);
        var tree = await site.RankingTreeAsync();
        Assert.Equal("ranking", await site.StateAsync(tree));

        foreach (var judge in (string[])["judge1", "judge2", "judge3"])
        {
            var (task, id) = await site.TakeAsync(judge, "rank_assistant_replies");
            Assert.Equal(tree, (string)task["ranking_parent_id"]!);
            var replies = task["reply_messages"]!.AsArray();
            // Best are those of "third", then "second".
            int[] order = [.. Enumerable.Range(0, replies.Count).OrderByDescending(index => (string)replies[index]!["text"]!)];
            var (status, done) = await site.RankAsync(judge, id, order);
            Assert.Equal((200, "task_done"), (status, (string)done!["type"]!));
        }

        Assert.Equal("ready_for_export", await site.StateAsync(tree));
        var children = (await site.GetAsync($"/messages/{tree}/children")).AsArray();
        Assert.Equal([0, 1, 2], children.OrderByDescending(child => (string)child!["text"]!).Select(child => (int)child!["rank"]!));
        Assert.All(children, child => Assert.Equal(3, (int)child!["ranking_count"]!));
        Assert.Equal(0, await site.ScalarAsync<long>("select count(*) from feedback.offer"));
    }

    [Fact]
    public async Task A_ranked_tree_that_was_halted_goes_straight_on_to_the_export()
    {
        var site = await shared.FreshAsync(rules => rules.GoalTreeSize = 4);
        var tree = await site.RankingTreeAsync();
        foreach (var judge in (string[])["judge1", "judge2", "judge3"])
        {
            var (_, id) = await site.TakeAsync(judge, "rank_assistant_replies");
            await site.RankAsync(judge, id, 2, 0, 1);
        }

        await site.SendAsync(HttpMethod.Put, $"/messages/{tree}/tree/state?halt=true");
        Assert.Equal("halted_by_moderator", await site.StateAsync(tree));
        await site.SendAsync(HttpMethod.Put, $"/messages/{tree}/tree/state?halt=false");

        Assert.Equal("ready_for_export", await site.StateAsync(tree));
    }

    [Fact]
    public async Task Three_reviews_accept_a_prompt_and_the_lottery_lets_it_grow()
    {
        var site = await shared.FreshAsync(rules => rules.MaxActiveTrees = 0);
        var tree = await site.GrowingTreeAsync();

        Assert.Equal("prompt_lottery_waiting", await site.StateAsync(tree));
        Assert.True((bool)(await site.GetAsync($"/messages/{tree}"))["review_result"]!);
        Assert.False((bool)(await site.GetAsync($"/messages/{tree}/tree/state"))["active"]!);
    }

    [Fact]
    public async Task Spam_ends_a_tree()
    {
        var site = await shared.FreshAsync();
        var prompt = await site.WriteAsync("author", "initial_prompt");
        foreach (var reviewer in (string[])["a", "b", "c"])
        {
            await site.LabelAsync(reviewer, "label_initial_prompt", spam: reviewer == "c" ? 0 : 1);
        }
        var message = await site.GetAsync($"/frontend_messages/{prompt}");

        Assert.False((bool)message["review_result"]!);
        Assert.Equal(3, (int)message["review_count"]!);
        Assert.Equal("aborted_low_grade", await site.StateAsync((string)message["id"]!));
    }

    [Fact]
    public async Task A_parent_whose_only_reply_was_rejected_is_offered_again()
    {
        var site = await shared.FreshAsync(rules => rules.MaxChildrenCount = 1);
        await site.GrowingTreeAsync();
        await site.WriteAsync("first", "assistant_reply");
        Assert.Equal(503, (await site.RequestAsync("second", "assistant_reply")).Status);
        foreach (var reviewer in (string[])["a", "b", "c"])
        {
            await site.LabelAsync(reviewer, "label_assistant_reply", spam: 1);
        }

        Assert.Equal(200, (await site.RequestAsync("second", "assistant_reply")).Status);
    }

    [Fact]
    public async Task Availability_counts_and_changes_nothing()
    {
        var site = await shared.FreshAsync();
        await site.GrowingTreeAsync();
        await site.WriteAsync("author", "initial_prompt", lang: "de");

        var (status, en) = await site.PostAsync("/tasks/availability?lang=en", FeedbackSite.User("visitor"));
        var (_, de) = await site.PostAsync("/tasks/availability?lang=de", FeedbackSite.User("visitor"));
        var (_, own) = await site.PostAsync("/tasks/availability?lang=de", FeedbackSite.User("author"));

        Assert.Equal(200, status);
        Assert.Equal(12, en!.AsObject().Count);
        Assert.Equal(1, (int)en["assistant_reply"]!);
        Assert.Equal(0, (int)en["label_initial_prompt"]!);
        Assert.Equal(109, (int)en["initial_prompt"]!);
        Assert.Equal(110, (int)en["random"]!);
        Assert.Equal(1, (int)de!["label_initial_prompt"]!);
        Assert.Equal(0, (int)own!["label_initial_prompt"]!);
        Assert.Equal(5, await site.ScalarAsync<long>("select count(*) from feedback.task"));
    }

    [Fact]
    public async Task Every_refusal_has_its_number()
    {
        var site = await shared.FreshAsync();
        var (task, id) = await site.TakeAsync("author", "initial_prompt");
        var taskId = (string)task["id"]!;

        await Refused(site.PostAsync("/tasks/", new { type = "random" }), 400, 4000);
        await Refused(site.RequestAsync("", "random"), 400, 2012);
        await Refused(site.RequestAsync("author", "summarize_story"), 503, 1006);
        await Refused(site.ReplyAsync("author", "unknown", "u1", "text"), 400, 2100);
        await Refused(site.ReplyAsync("other", id, "u1", "text"), 400, 2106);
        await Refused(site.ReplyAsync("author", id, "", "text"), 400, 2000);
        await Refused(site.ReplyAsync("author", id, "u1", new('x', 2_001)), 400, 1008);
        await Refused(site.RankAsync("author", id, 0), 400, 2102);
        await Refused(site.PostAsync($"/tasks/{Guid.CreateVersion7()}/ack", new { message_id = "x" }), 404, 2100);
        await Refused(site.PostAsync($"/tasks/{taskId}/ack", new { message_id = "" }), 400, 2000);
        await Refused(site.PostAsync($"/tasks/{taskId}/ack", new { message_id = "another" }), 400, 2103);
        await Refused(site.PostAsync($"/tasks/{taskId}/nack", new { }, acting: "nobody"), 404, 4002);
        await Refused(site.PostAsync($"/tasks/{Guid.CreateVersion7()}/nack", new { }, acting: "author"), 400, 2100);
        await Refused(site.PostAsync("/tasks/close", new { message_id = id }), 400, 2106);
        Assert.Equal(204, (await site.PostAsync($"/tasks/{taskId}/ack", new { message_id = id })).Status);
        Assert.Equal(200, (await site.ReplyAsync("author", id, "u1", "The same text")).Status);
        await Refused(site.ReplyAsync("author", id, "u2", "Another text"), 400, 2105);
        var (_, second) = await site.TakeAsync("author", "initial_prompt");
        await Refused(site.ReplyAsync("author", second, "u3", "The same text"), 400, 1009);
        await Refused(site.ReplyAsync("author", second, "u1", "A new text"), 400, 1004);
        await Refused(site.RequestAsync("author", "label_initial_prompt"), 503, 1006);
    }

    [Fact]
    public async Task A_review_lets_go_of_the_message_and_keeps_what_others_hold()
    {
        var site = await shared.FreshAsync();
        await site.WriteAsync("author", "initial_prompt");
        var (first, _) = await site.TakeAsync("one", "label_initial_prompt");
        await site.TakeAsync("two", "label_initial_prompt");

        var (status, _) = await site.ReviewAsync("one", first);

        Assert.Equal(200, status);
        Assert.Equal("two 2", await site.ScalarAsync<string>("""
            select string_agg(username, ',') || ' ' || max(wanted) from feedback.offer, jsonb_object_keys(held) as holder
            join feedback.user on id = holder::uuid
            """));
    }

    [Fact]
    public async Task A_reply_lets_go_of_its_parent_which_wants_more()
    {
        var site = await shared.FreshAsync();
        await site.GrowingTreeAsync();

        await site.WriteAsync("other", "assistant_reply");

        Assert.Equal("{}", await site.ScalarAsync<string>("select held::text from feedback.offer where work = 'reply'"));
    }

    [Fact]
    public async Task Whoever_is_disabled_or_has_not_accepted_the_terms_is_told_so_and_given_nothing()
    {
        await using var site = await FeedbackSite.StartAsync(("IgnoreTosAcceptance", "false"));
        await Refused(site.RequestAsync("eve", "initial_prompt"), 451, 4003);
        await site.ScalarAsync<int>("with off as (update feedback.user set enabled = false returning 1) select count(*)::int from off");

        await Refused(site.RequestAsync("eve", "initial_prompt"), 503, 4001);

        Assert.Equal(0, await site.ScalarAsync<long>("select count(*) from feedback.task"));
    }

    [Fact]
    public async Task Labels_are_held_to_their_task()
    {
        var site = await shared.FreshAsync();
        await site.WriteAsync("author", "initial_prompt");
        var (status, task) = await site.RequestAsync("reviewer", "label_initial_prompt");
        Assert.Equal(200, status);
        Assert.Equal("full", (string)task!["mode"]!);
        Assert.Equal(11, task["valid_labels"]!.AsArray().Count);
        Assert.Equal(task["valid_labels"]!.AsArray().Select(name => (string)name!),
            task["labels"]!.AsArray().Select(label => (string)label!["name"]!));
        await Refused(site.ReviewAsync("reviewer", task), 400, 2104);
        await site.AcknowledgeAsync((string)task["id"]!);

        await Refused(Labels(site, task, new() { ["quality"] = 1 }), 400, 2052);
        await Refused(Labels(site, task, new() { ["spam"] = 0, ["fails_task"] = 1 }), 400, 2051);
        Assert.Equal(422, (await Labels(site, task, new() { ["spam"] = 2 })).Status);
        Assert.Equal(422, (await Labels(site, task, new() { ["nonsense"] = 0 })).Status);
        Assert.Equal(200, (await site.ReviewAsync("reviewer", task)).Status);
        await Refused(site.ReviewAsync("reviewer", task), 400, 2105);
        Assert.Equal(503, (await site.RequestAsync("reviewer", "label_initial_prompt")).Status);
    }

    [Fact]
    public async Task A_refused_task_is_not_offered_to_the_same_user_again_but_can_still_be_answered()
    {
        var site = await shared.FreshAsync();
        var tree = await site.GrowingTreeAsync();
        var (_, task) = await site.RequestAsync("lazy", "assistant_reply");
        // Another user's while somebody holds it.
        Assert.Equal(503, (await site.RequestAsync("eager", "assistant_reply")).Status);

        Assert.Equal(204, (await site.PostAsync($"/tasks/{task!["id"]}/nack", new { reason = "no idea" })).Status);
        Assert.Equal(204, (await site.PostAsync($"/tasks/{task["id"]}/nack", new { }, acting: "lazy")).Status);

        Assert.Equal(503, (await site.RequestAsync("lazy", "assistant_reply")).Status);
        Assert.Equal(1, (int)(await site.GetAsync($"/messages/{tree}"))["emojis"]!["_skip_reply"]!);
        Assert.Equal(200, (await site.RequestAsync("eager", "assistant_reply")).Status);
        var id = await site.AcknowledgeAsync((string)task["id"]!);
        Assert.Equal(200, (await site.ReplyAsync("lazy", id, "late", "After all")).Status);
    }

    [Fact]
    public async Task A_collective_task_takes_many_answers_until_it_is_closed()
    {
        var site = await shared.FreshAsync();
        var (_, task) = await site.PostAsync(
            "/tasks/", new JsonObject { ["type"] = "initial_prompt", ["user"] = FeedbackSite.User("host"), ["collective"] = true });
        var id = await site.AcknowledgeAsync((string)task!["id"]!);

        Assert.Equal(200, (await site.ReplyAsync("first", id, "c1", "One")).Status);
        Assert.Equal(200, (await site.ReplyAsync("second", id, "c2", "Two")).Status);
        var (status, done) = await site.PostAsync("/tasks/close", new { message_id = id });
        Assert.Equal((200, "task_done"), (status, (string)done!["type"]!));

        await Refused(site.ReplyAsync("third", id, "c3", "Three"), 400, 2105);
        await Refused(site.PostAsync("/tasks/close", new { message_id = id }), 400, 2105);
    }

    [Fact]
    public async Task An_answer_of_no_known_shape_is_told_what_each_shape_misses()
    {
        var site = await shared.FreshAsync();
        var (status, body) =
            await site.PostAsync("/tasks/interaction", new JsonObject { ["type"] = "nonsense", ["user"] = FeedbackSite.User("x") });
        var (badJson, wrong) = await site.PostAsync("/tasks/", "{bad");
        var (badMethod, method) = await site.PostAsync("/tasks/availability", new { id = "x", display_name = "x", auth_method = "ldap" });

        Assert.Equal(422, status);
        Assert.Equal(4, body!["detail"]!.AsArray().Count(error => (string)error!["type"]! == "value_error.const"));
        Assert.Equal(422, badJson);
        Assert.Equal("value_error.jsondecode", (string)wrong!["detail"]![0]!["type"]!);
        Assert.Equal(422, badMethod);
        Assert.Equal(["body", "auth_method"], method!["detail"]![0]!["loc"]!.AsArray().Select(part => (string)part!));
    }

    [Fact]
    public async Task After_thirty_requests_a_user_waits()
    {
        await using var site = await FeedbackSite.StartAsync(("RateLimit:Enabled", "true"));
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(503, (await site.RequestAsync("eager", "label_initial_prompt")).Status);
        }
        var (status, body) = await site.RequestAsync("eager", "label_initial_prompt");

        Assert.Equal(429, status);
        Assert.Equal(429, (int)body!["error_code"]!);
        Assert.EndsWith(" seconds.", (string)body["message"]!, StringComparison.Ordinal);
        Assert.Equal(503, (await site.RequestAsync("other", "label_initial_prompt")).Status);
    }

    private static async Task Refused(Task<(int Status, JsonNode? Body)> call, int status, int code)
    {
        var (answered, body) = await call;
        Assert.Equal((status, code), (answered, (int?)body?["error_code"]));
    }

    private static Task<(int Status, JsonNode? Body)> Labels(FeedbackSite site, JsonNode task, JsonObject labels) =>
        site.PostAsync("/tasks/interaction", new JsonObject
    {
        ["type"] = "text_labels",
        ["user"] = FeedbackSite.User("reviewer"),
        ["text"] = "",
        ["labels"] = labels,
        ["message_id"] = (string)task["message_id"]!,
        ["task_id"] = (string)task["id"]!,
    });
}
