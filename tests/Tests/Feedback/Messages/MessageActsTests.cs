using System.Text.Json.Nodes;
using Stoa.Feedback.Messages;

namespace Stoa.Tests.Feedback.Messages;

/// <summary>Emojis, edits, deletion, moderation.</summary>
public sealed class MessageActsTests(SharedFeedback shared) : IClassFixture<SharedFeedback>
{
    [Theory]
    [InlineData("toggle", "+1", "", false, "+1", "")]
    [InlineData("toggle", "+1", "+1", false, "", "+1")]
    [InlineData("add", "+1", "+1", false, "", "")]
    [InlineData("remove", "+1", "", false, "", "")]
    [InlineData("remove", "+1", "+1", false, "", "+1")]
    [InlineData("add", "+1", "-1", false, "+1", "-1")]
    [InlineData("add", "-1", "+1", false, "-1", "+1")]
    [InlineData("add", "+1", "", true, "", "")]
    [InlineData("add", "rofl", "+1", true, "rofl", "")]
    public void An_operation_adds_and_takes_away(string op, string emoji, string own, bool isAuthor, string added, string removed)
    {
        var (adds, removes) = EmojiMarks.Changes(op, emoji, own.Split(' ', StringSplitOptions.RemoveEmptyEntries), isAuthor);
        Assert.Equal((added, removed), (string.Join(' ', adds), string.Join(' ', removes)));
    }

    [Fact]
    public async Task Emojis_are_counted_and_a_red_flag_is_listed()
    {
        var site = await shared.FreshAsync();
        var tree = await site.GrowingTreeAsync();

        var (status, liked) = await Mark(site, tree, "fan", "+1");
        var (_, disliked) = await Mark(site, tree, "fan", "-1");
        await Mark(site, tree, "fan", "red_flag");

        Assert.Equal(202, status);
        Assert.Equal("""{"+1":1}""", liked!["emojis"]!.ToJsonString(Relaxed));
        Assert.Equal("""{"-1":1}""", disliked!["emojis"]!.ToJsonString());
        Assert.Equal("""["-1"]""", disliked["user_emojis"]!.ToJsonString());
        Assert.Equal(1, await site.ScalarAsync<long>("select count(*) from feedback.flagged_message where not processed"));
        Assert.Equal(422, (await Mark(site, tree, "fan", "smile")).Status);
        Assert.Equal(404, (await Mark(site, Guid.CreateVersion7().ToString(), "fan", "+1")).Status);
    }

    [Fact]
    public async Task An_edit_keeps_what_was_there_before()
    {
        var site = await shared.FreshAsync();
        var tree = await site.GrowingTreeAsync();
        var original = (string)(await site.GetAsync($"/messages/{tree}"))["text"]!;
        Assert.Empty((await site.GetAsync($"/messages/{tree}/history")).AsArray());

        foreach (var text in (string[])["Second", "Third"])
        {
            var (status, body) = await site.PostAsync(
                $"/messages/{tree}/edit", new JsonObject { ["user"] = FeedbackSite.User("editor"), ["new_content"] = text });
            Assert.Equal((200, true), (status, body is null));
        }

        var message = await site.GetAsync($"/messages/{tree}");
        Assert.Equal(("Third", true), ((string)message["text"]!, (bool)message["edited"]!));
        var history = (await site.GetAsync($"/messages/{tree}/history")).AsArray();
        Assert.Equal([original, "Second", "Third"], history.Select(revision => (string)revision!["text"]!));
        Assert.Equal((string)message["created_date"]!, (string)history[0]!["created_date"]!);
        Assert.False((bool)history[0]!["user_is_author"]!);
        Assert.Single((await site.GetAsync("/messages/cursor?lang=en&search_query=third"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Deletion_takes_all_below_along_and_restoring_all_above()
    {
        var site = await shared.FreshAsync(rules => rules.GoalTreeSize = 9);
        var tree = await site.GrowingTreeAsync();
        var reply = await site.WriteAsync("first", "assistant_reply");
        var replyId = (string)(await site.GetAsync($"/frontend_messages/{reply}"))["id"]!;

        Assert.Equal(204, (await site.SendAsync(HttpMethod.Delete, $"/messages/{tree}")).Status);
        Assert.True((bool)(await site.GetAsync($"/messages/{replyId}"))["deleted"]!);
        Assert.Equal("halted_by_moderator", await site.StateAsync(tree));
        Assert.Equal(204, (await site.SendAsync(HttpMethod.Delete, $"/messages/{Guid.CreateVersion7()}")).Status);

        Assert.Equal(202, (await site.SendAsync(HttpMethod.Put, $"/messages/{replyId}/undelete")).Status);
        Assert.False((bool)(await site.GetAsync($"/messages/{tree}"))["deleted"]!);
        Assert.Equal(1, await site.ScalarAsync<int>($"select children_count from feedback.message where id = '{tree}'"));
        Assert.Equal(404, (await site.SendAsync(HttpMethod.Put, $"/messages/{Guid.CreateVersion7()}/undelete")).Status);

        var (_, resumed) = await site.SendAsync(HttpMethod.Put, $"/messages/{tree}/tree/state?halt=false");
        Assert.Equal("growing", (string)resumed!["state"]!);
        Assert.Equal(422, (await site.SendAsync(HttpMethod.Put, $"/messages/{tree}/tree/state")).Status);
    }

    [Fact]
    public async Task Four_red_flags_remove_a_reply_and_end_the_tree_of_a_prompt()
    {
        var site = await shared.FreshAsync(rules => rules.GoalTreeSize = 9);
        var tree = await site.GrowingTreeAsync();
        var reply = await site.WriteAsync("first", "assistant_reply");
        var replyId = (string)(await site.GetAsync($"/frontend_messages/{reply}"))["id"]!;
        foreach (var message in (string[])[replyId, tree])
        {
            for (var i = 0; i < 4; i++)
            {
                await Mark(site, message, $"flagger{i}", "red_flag");
            }
        }
        await site.Host.RunJobsAsync();

        Assert.True((bool)(await site.GetAsync($"/messages/{replyId}"))["deleted"]!);
        Assert.Equal("aborted_low_grade", await site.StateAsync(tree));
        Assert.Equal(503, (await site.RequestAsync("second", "assistant_reply")).Status);
    }

    [Fact]
    public async Task The_journal_tells_the_state_of_a_tree_and_cannot_be_changed()
    {
        var site = await shared.FreshAsync(rules => rules.GoalTreeSize = 4);
        var tree = await site.RankingTreeAsync();

        var last = await site.ScalarAsync<string>(
            $"select event_payload ->> 'to' from feedback.journal where message_tree_id = '{tree}' and event_type = 'tree_state' order by id desc limit 1");
        Assert.Equal("ranking", last);
        Assert.Equal(4, await site.ScalarAsync<long>("select count(*) from feedback.journal where event_type = 'text_reply_to_message'"));
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => site.ScalarAsync<object>("delete from feedback.journal returning 1"));
    }

    [Fact]
    public async Task The_journal_tells_what_was_shown_what_was_not_wanted_and_what_was_put_on_a_message()
    {
        var site = await shared.FreshAsync();
        var tree = await site.GrowingTreeAsync();
        var (task, id) = await site.TakeAsync("fickle", "assistant_reply");
        await site.PostAsync($"/tasks/{task["id"]}/ack", new { message_id = id });
        await site.PostAsync($"/tasks/{task["id"]}/nack", new { reason = "no" }, acting: "fickle");
        foreach (var emoji in (string[])["+1", "-1", "-1"])
        {
            await Mark(site, tree, "fan", emoji);
        }

        // One of each: what is said again changes nothing.
        Assert.Equal("1 1", await site.ScalarAsync<string>($"""
            select count(*) filter (where event_type = 'task_ack') || ' ' || count(*) filter (where event_type = 'task_nack')
            from feedback.journal
              where event_payload ->> 'task_id' = '{task["id"]}' and message_id = '{tree}' and message_tree_id = '{tree}'
            """));
        Assert.Equal("""["+1"] []; ["-1"] ["+1"]; [] ["-1"]""", await site.ScalarAsync<string>("""
            select string_agg((event_payload ->> 'added') || ' ' || (event_payload ->> 'removed'), '; ' order by id)
            from feedback.journal where event_type = 'message_emoji'
            """));
    }

    private static readonly System.Text.Json.JsonSerializerOptions Relaxed =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static Task<(int Status, JsonNode? Body)> Mark(FeedbackSite site, string messageId, string user, string emoji) =>
        site.PostAsync($"/messages/{messageId}/emoji", new JsonObject { ["user"] = FeedbackSite.User(user), ["emoji"] = emoji });
}
