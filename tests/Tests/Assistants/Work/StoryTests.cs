using System.Text.Json.Nodes;
using static System.Net.Http.HttpMethod;

namespace Stoa.Tests.Assistants.Work;

public sealed class StoryTests
{
    [Fact]
    public async Task A_user_registers_does_a_task_and_is_answered()
    {
        await using var site = await AssistantsSite.StartAsync();
        var registered = await site.OkAsync(null, Put, "/user", new()
        {
            ["email"] = "Ada@example.org", ["name"] = "Ada", ["password"] = "the analytical engine", ["language_code"] = "fr",
        });
        Assert.False((bool)registered["terms_and_conditions_agreed"]!);
        var token = (string)(await site.OkAsync(null, Post, "/user", new()
        {
            ["email"] = "ada@example.org", ["login_method"] = "email_password", ["password"] = "the analytical engine",
        }))["token"]!;

        var tasks = (await site.OkAsync(token, Get, "/user_task"))["user_tasks"]!.AsArray();
        Assert.Equal(6, tasks.Count);
        Assert.Equal("Compte rendu de réunion", (string?)tasks[0]!["task_name"]);
        var begun = new JsonObject { ["user_task_pk"] = (int)tasks[0]!["user_task_pk"]! };
        Assert.Equal("401 Terms and conditions not accepted", await site.StatusAsync(token, Put, "/user_task_execution", begun));
        await site.OkAsync(token, Put, "/terms_and_conditions");
        await site.OkAsync(token, Post, "/timezone", new() { ["timezone_offset"] = 240, ["timezone_name"] = "America/New_York" });
        var execution = await site.OkAsync(token, Put, "/user_task_execution", begun);
        var id = (int)execution["user_task_execution_pk"]!;
        var input = execution["json_input"]![0]!;
        Assert.Null(input["value"]);
        Assert.True(input.AsObject().ContainsKey("value"));

        var run = new JsonObject
        {
            ["user_task_execution_pk"] = id,
            ["inputs"] = new JsonArray(
                new JsonObject { ["input_name"] = input["input_name"]!.DeepClone(), ["input_value"] = "Bob sends the plan on Friday" }),
        };
        Assert.Equal("""{"success":"ok"}""", (await site.OkAsync(token, Post, "/user_task_execution_run", run)).ToJsonString());
        await site.Host.RunJobsAsync();
        var session = (string)execution["session_id"]!;
        var answered = (await site.OkAsync(token, Get, $"/message?session_id={session}"))["messages"]!.AsArray();
        Assert.Equal("mojo", (string?)Assert.Single(answered)!["sender"]);

        var said = await SayAsync(site, token, session, "first", "Make it shorter");
        var again = await SayAsync(site, token, session, "first", "Make it shorter");
        Assert.True(JsonNode.DeepEquals(said, again), again.ToJsonString());
        await site.Host.RunJobsAsync();
        var messages = (await site.OkAsync(token, Get, $"/message?session_id={session}&n_messages=2"))["messages"]!.AsArray();
        Assert.Equal(["user", "mojo"], messages.Select(message => (string?)message!["sender"]));
        Assert.Equal((int)said["message_pk"]!, (int)messages[0]!["message_pk"]!);
        Assert.False((bool)messages[0]!["in_error_state"]!);

        var view = await site.OkAsync(token, Get, $"/user_task_execution?user_task_execution_pk={id}");
        Assert.Equal("Bob sends the plan on Friday", (string?)view["json_inputs_values"]![0]!["value"]);
        Assert.EndsWith(TimeZoneInfo.FindSystemTimeZoneById("America/New_York").IsDaylightSavingTime(TimeProvider.System.GetUtcNow())
            ? "-04:00" : "-05:00",
            (string?)view["start_date"], StringComparison.Ordinal);
        Assert.True((bool)view["working_on_todos"]!);
        Assert.Equal("instruct", (string?)view["task_type"]);
        Assert.Single((await site.OkAsync(token, Get, "/user_task_execution"))["user_task_executions"]!.AsArray());
    }

    internal static async Task<JsonNode> SayAsync(AssistantsSite site, string token, string session, string id, string text)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(session), "session_id" }, { new StringContent(id), "message_id" }, { new StringContent(text), "text" },
            { new StringContent("2099-01-01T00:00:00Z"), "message_date" }, { new StringContent("1"), "version" },
        };
        var (status, body) = await site.SendAsync(token, Put, "/user_message", form);
        Assert.True(status == 200, $"{status} {body?.ToJsonString()}");
        return body!;
    }
}
