using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Tests.Gateway;

namespace Stoa.Tests.Feedback.Collection;

/// <summary>What agents have answered becomes trees by its ids.</summary>
public sealed class AgentAnswersTests(GtwyHost host) : IClassFixture<GtwyHost>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tree_has_the_conversation_of_its_first_answer_and_says_which_agent_each_is_from()
    {
        var agent = await host.AddAgentAsync();
        await host.AddRunAsync(agent, "one", 1);
        await host.AddRunAsync(agent, "one", 2, run => (run.IsSuccess, run.Answer) = (false, null));
        await host.AddRunAsync(agent, "one", 3, run => (run.UserMessage, run.VersionId) = ("Why?", "v1"), messageId: "first");
        await host.AddRunAsync(
            agent, "two", 4, run => (run.UserMessage, run.VersionId, run.Answer) = ("Why?", "v2", ""), messageId: "second");
        await host.AddRunAsync(agent, "one", 5);

        var made = await SendAsync(
            """{"trees":[{"candidates":[{"message_id":"first"},{"message_id":"second"},{"text":"a person's","source":{"name":"people"}}]}]}""");

        Assert.Equal(200, made.Status);
        var tree = (string)made.Body["trees"]![0]!["id"]!;
        Assert.Equal(
            "question 1|answer 1|Why?||a person's|answer 3",
            await ReadAsync(
                $"select string_agg(text, '|' order by depth, text collate \"C\") from feedback.message where message_tree_id = '{tree}'"));
        Assert.Equal(
            $"{agent} v1 demo first|{agent} v2 demo second|people",
            await ReadAsync($"""
                select string_agg(concat_ws(' ', name, agent_version, model, call_id), '|' order by name = 'people', call_id)
                from feedback.message_source join feedback.message on id = message_id where message_tree_id = '{tree}'
                """));
    }

    [Fact]
    public async Task What_is_not_the_organizations_or_answers_something_else_makes_no_tree()
    {
        var agent = await host.AddAgentAsync();
        await host.AddRunAsync(agent, "three", 1, messageId: "here");
        await host.AddRunAsync(agent, "four", 2, messageId: "another");
        await host.AddRunAsync(agent, "five", 3, run => (run.IsSuccess, run.Answer) = (false, null), messageId: "failed");
        await host.AddRunAsync("0123456789abcdef01234567", "six", 4, messageId: "of the key's organization only");

        foreach (var (candidates, asOther, message) in ((string, bool, string)[])
            [
                ("""[{"message_id":"here"},{"message_id":"nowhere"}]""", false, "a message_id is of no answer"),
                ("""[{"message_id":"here"},{"message_id":"failed"}]""", false, "a message_id is of no answer"),
                ("""[{"message_id":"here"},{"message_id":"he\u0000re"}]""", false, "a message_id is of no answer"),
                ("""[{"message_id":"here"},{"message_id":"of the key's organization only"}]""", true, "a message_id is of no answer"),
                ("""[{"message_id":"here"},{"message_id":"another"}]""", false, "the candidates answer different questions"),
                ("""[{"message_id":"here"}]""", false, "candidates must have 2 to 20 entries"),
                ("""[{"message_id":"here"},null]""", false, "each candidate must have a text"),
            ])
        {
            var (status, body) = await SendAsync($$"""{"trees":[{"candidates":{{candidates}}}]}""", asOther);
            Assert.Equal(400, status);
            Assert.Contains(message, body.ToJsonString(), StringComparison.Ordinal);
        }
        // Compared all the same where the conversation is given.
        Assert.Equal(200, (await SendAsync(
            """{"trees":[{"conversation":[{"role":"user","text":"Hm?"}],"candidates":[{"message_id":"here"},{"message_id":"another"}]}]}""")).Status);
    }

    private async Task<(int Status, JsonNode Body)> SendAsync(string body, bool asOther = false)
    {
        var key = asOther ? host.OtherKey : "stoa-dev";
        var (status, answer) = await host.SendAsync("POST", "/api/stoa/feedback/trees", body, ("Authorization", $"Bearer {key}"));
        return ((int)status, answer!);
    }

    private async Task<string> ReadAsync(string sql)
    {
        await using var command = host.Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync(Ct))!;
    }
}
