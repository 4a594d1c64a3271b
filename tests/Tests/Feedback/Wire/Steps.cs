using System.Text.Json.Nodes;

namespace Stoa.Tests.Feedback.Wire;

/// <summary>What the records take for granted: acknowledgements, reviews of others, calls that fill a limit.</summary>
internal sealed class Steps(ReadingSite site, Replay replay)
{
    private int counter;

    public Task BeforeAsync(int number) => number switch
    {
        29 => AcknowledgedAsync("user0", "initial_prompt", "e60c72aa-2bba-415d-bf41-1744f4ec365f"),
        31 => TakeAsync("user1", "initial_prompt", "de80f3c9-c064-4022-857e-12f79fdc6467"),
        50 => ReviewAsync("user2", "label_initial_prompt"),
        53 => ReviewAsync("user3", "label_initial_prompt"),
        55 => SpamAsync(),
        58 => AcknowledgeAsync("d3118aee-d036-43c5-be02-2a10cd6a4e27", "d85751f9-c4c5-445f-865c-3faf96c6e694"),
        67 => AcknowledgeAsync("94dece15-7441-4edc-a82d-b39b903e5908", "label-67"),
        68 => ReplyAsync("6fb0ac1d-e59a-4c65-9e0d-9403b50efaaa"),
        70 => AcknowledgeAsync("6eb13ce4-ea72-4284-bfef-4f9ee38cc955", "label-70"),
        74 => AcknowledgeAsync("7e1d629c-77b9-4d9b-9f45-9e792c1883e2", "577db10c-4e01-4746-a13f-173ac56ddc69"),
        78 => TakeAsync("user4", "rank_assistant_replies", "5bcbdbc2-b5f4-4108-bf0e-01487c0ece91"),
        139 => SendAsync("PUT", $"/messages/{replay.Ours("e1042d68-4013-471e-9b50-2e9d9e64c4b5")}/undelete"),
        222 => PersonAsync("user5", "f2fa1270-6e03-449b-94e3-224be9321662"),
        224 => PersonAsync("user8", "4ddc8a71-1454-4d49-96c0-3b35c41a0b3b"),
        242 => RepeatAsync("user50", "random", 30),
        244 => RepeatAsync("user52", "prompter_reply", 8),
        248 => SkippedAsync(),
        250 => BothAcknowledgedAsync(),
        255 => LabelledAsync(),
        257 => CollectiveAsync(),
        261 => PaddedAsync(),
        _ => Task.CompletedTask,
    };

    private async Task<JsonNode> TakeAsync(string user, string type, string? recorded = null, bool isCollective = false)
    {
        var task = await SendAsync("POST", "/tasks/", new JsonObject
        {
            ["type"] = type, ["user"] = FeedbackSite.User(user), ["lang"] = "en", ["collective"] = isCollective,
        });
        if (recorded is not null)
        {
            replay.Learn(recorded, (string)task!["id"]!);
        }
        return task!;
    }

    private Task<JsonNode?> AcknowledgeAsync(string recordedTask, string id) =>
        SendAsync("POST", $"/tasks/{replay.Ours(recordedTask)}/ack", new JsonObject { ["message_id"] = id });

    private async Task AcknowledgedAsync(string user, string type, string id, bool isCollective = false)
    {
        var task = await TakeAsync(user, type, isCollective: isCollective);
        await SendAsync("POST", $"/tasks/{task["id"]}/ack", new JsonObject { ["message_id"] = id });
    }

    private async Task ReviewAsync(string user, string type, double spam = 0)
    {
        var task = await TakeAsync(user, type);
        await SendAsync("POST", $"/tasks/{task["id"]}/ack", new JsonObject { ["message_id"] = $"review-{++counter}" });
        await SendAsync("POST", "/tasks/interaction", new JsonObject
        {
            ["type"] = "text_labels", ["user"] = FeedbackSite.User(user), ["text"] = "", ["labels"] = new JsonObject { ["spam"] = spam },
            ["message_id"] = (string)task["message_id"]!, ["task_id"] = (string)task["id"]!,
        });
    }

    private async Task<string> WriteAsync(string user, string acknowledged, string id, string text, string? lang = "en")
    {
        await SendAsync("POST", "/tasks/interaction", new JsonObject
        {
            ["type"] = "text_reply_to_message", ["user"] = FeedbackSite.User(user), ["message_id"] = acknowledged, ["user_message_id"] = id,
            ["text"] = text, ["lang"] = lang,
        });
        return (string)(await SendAsync("GET", $"/frontend_messages/{id}"))!["id"]!;
    }

    private async Task SpamAsync()
    {
        await AcknowledgedAsync("user2", "initial_prompt", "spam-prompt");
        replay.Learn("6257ca91-e005-431c-a31a-05bb4cdf1373", await WriteAsync("user2", "spam-prompt", "spam-text", "buy cheap pills"));
        foreach (var reviewer in (string[])["user1", "user3", "user4"])
        {
            await ReviewAsync(reviewer, "label_initial_prompt", spam: 1);
        }
    }

    private async Task ReplyAsync(string recordedTask)
    {
        await AcknowledgeAsync(recordedTask, "prompter-68");
        replay.Learn("95f584f0-deb8-436d-a75d-c38490a4ea49", await WriteAsync("user0", "prompter-68", "prompter-text", "And what then?"));
    }

    private async Task PersonAsync(string name, string recorded)
    {
        var person = await SendAsync("POST", "/frontend_users/", FeedbackSite.User(name));
        replay.Learn(recorded, (string)person!["user_id"]!);
    }

    private async Task RepeatAsync(string user, string type, int times)
    {
        for (var i = 0; i < times; i++)
        {
            var wish = new JsonObject { ["type"] = type, ["user"] = FeedbackSite.User(user), ["lang"] = "fr" };
            var (status, _) = await site.SendAsync("POST", "/tasks/", wish);
            Assert.NotEqual(429, status);
        }
    }

    private async Task SkippedAsync()
    {
        await SendAsync("PUT", $"/users/{replay.Ours("f2fa1270-6e03-449b-94e3-224be9321662")}?enabled=true");
        var task = await TakeAsync("user5", "initial_prompt", "4754b6a6-f660-4b35-8e3c-4550e676d10e");
        await SendAsync("POST", $"/tasks/{task["id"]}/nack", new JsonObject { ["reason"] = "no idea" });
    }

    private async Task BothAcknowledgedAsync()
    {
        await AcknowledgedAsync("user4", "initial_prompt", "61f8627b-27b4-4b30-a49a-e5c543db1ade");
        await AcknowledgedAsync("user4", "initial_prompt", "7bad4c13-c52c-4a32-b716-5ce7a335e37c");
    }

    private async Task LabelledAsync()
    {
        var task = await TakeAsync("user7", "label_initial_prompt", "0a4f6a89-ede6-487c-ac5c-e4c07e0cab98");
        replay.Learn("25289f38-aefc-4a25-9c91-dbb9de2bfa25", (string)task["message_id"]!);
    }

    private Task CollectiveAsync() =>
        AcknowledgedAsync("user7", "initial_prompt", "e9a81c42-6390-4c0d-90a4-66ace6005d07", isCollective: true);

    private async Task PaddedAsync()
    {
        await AcknowledgedAsync("edge1", "initial_prompt", "padded");
        await WriteAsync("edge1", "padded", "6a2e4347-6e13-4f31-9b58-c5d13d9a6a89", "  padded prompt text  ", lang: null);
    }

    private async Task<JsonNode?> SendAsync(string method, string path, JsonNode? body = null)
    {
        var (status, answer) = await site.SendAsync(method, path, body);
        Assert.True(status < 300, $"{method} {path} between the records: {status} {answer?.ToJsonString()}");
        return answer;
    }
}
