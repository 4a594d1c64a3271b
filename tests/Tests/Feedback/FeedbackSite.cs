using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Tests.Support;

namespace Stoa.Tests.Feedback;

/// <summary>A host of the feedback surface, and people who take part in it as the original's clients do.</summary>
public sealed class FeedbackSite : IAsyncDisposable
{
    private readonly HostUnderTest host;
    private int counter;

    private FeedbackSite(HostUnderTest host) => this.host = host;

    public HostUnderTest Host => host;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Without rate limits, and with small trees: five messages make one.</summary>
    public static async Task<FeedbackSite> StartAsync(params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["Feedback:RateLimit:Enabled"] = "false",
            ["Feedback:TreeManager:GoalTreeSize"] = "5",
            ["Feedback:TreeManager:PActivateBacklogTree"] = "0",
        };
        foreach (var (key, value) in settings)
        {
            all[$"Feedback:{key}"] = value;
        }
        return new(await HostUnderTest.StartAsync(all));
    }

    public static JsonObject User(string name) => new() { ["id"] = name, ["display_name"] = name, ["auth_method"] = "local" };

    public async Task<(int Status, JsonNode? Body)> SendAsync(
        HttpMethod method, string path, object? body = null, string? acting = null, string key = "1234")
    {
        using var request = new HttpRequestMessage(method, $"/api/v1{path}");
        request.Headers.Add("X-API-Key", key);
        if (acting is not null)
        {
            request.Headers.Add("X-OASST-USER", $"local:{acting}");
        }
        if (body is not null)
        {
            request.Content = body is string raw
                ? new StringContent(raw, System.Text.Encoding.UTF8, "application/json") : JsonContent.Create(body);
        }
        using var answer = await host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return ((int)answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    public Task<(int Status, JsonNode? Body)> PostAsync(string path, object? body, string? acting = null) =>
        SendAsync(HttpMethod.Post, path, body, acting);

    public async Task<JsonNode> GetAsync(string path, string? acting = null)
    {
        var (status, body) = await SendAsync(HttpMethod.Get, path, body: null, acting);
        Assert.Equal(200, status);
        return body!;
    }

    public Task<(int Status, JsonNode? Body)> RequestAsync(string user, string type, string lang = "en") =>
        PostAsync("/tasks/", new JsonObject { ["type"] = type, ["user"] = User(user), ["lang"] = lang });

    /// <summary>A task that there must be, acknowledged; its id and the client's own id of it.</summary>
    public async Task<(JsonNode Task, string FrontendId)> TakeAsync(string user, string type, string lang = "en")
    {
        var (status, task) = await RequestAsync(user, type, lang);
        Assert.True(status == 200, $"{type} for {user}: {status} {task?.ToJsonString()}");
        return (task!, await AcknowledgeAsync((string)task!["id"]!));
    }

    public async Task<string> AcknowledgeAsync(string taskId)
    {
        var id = $"m{Interlocked.Increment(ref counter)}";
        var (status, body) = await PostAsync($"/tasks/{taskId}/ack", new { message_id = id });
        Assert.True(status == 204, $"ack: {status} {body?.ToJsonString()}");
        return id;
    }

    /// <summary>The client's own id of the new message.</summary>
    public async Task<string> WriteAsync(string user, string type, string? text = null, string lang = "en")
    {
        var (_, id) = await TakeAsync(user, type, lang);
        var (status, body) = await ReplyAsync(user, id, $"{id}-text", text ?? $"A text of {user}, number {id}", lang);
        Assert.True(status == 200, $"{type} of {user}: {status} {body?.ToJsonString()}");
        return $"{id}-text";
    }

    public Task<(int Status, JsonNode? Body)> ReplyAsync(
        string user, string messageId, string userMessageId, string text, string lang = "en") =>
        PostAsync("/tasks/interaction", new JsonObject
        {
            ["type"] = "text_reply_to_message",
            ["user"] = User(user),
            ["message_id"] = messageId,
            ["user_message_id"] = userMessageId,
            ["text"] = text,
            ["lang"] = lang,
        });

    public async Task LabelAsync(string user, string type, double spam = 0, string lang = "en")
    {
        var (task, _) = await TakeAsync(user, type, lang);
        var (status, body) = await ReviewAsync(user, task, spam);
        Assert.True(status == 200, $"{type} of {user}: {status} {body?.ToJsonString()}");
    }

    public Task<(int Status, JsonNode? Body)> ReviewAsync(string user, JsonNode task, double spam = 0) =>
        PostAsync("/tasks/interaction", new JsonObject
    {
        ["type"] = "text_labels",
        ["user"] = User(user),
        ["text"] = "",
        ["labels"] = new JsonObject { ["spam"] = spam },
        ["message_id"] = (string)task["message_id"]!,
        ["task_id"] = (string)task["id"]!,
    });

    public Task<(int Status, JsonNode? Body)> RankAsync(string user, string messageId, params int[] order) =>
        PostAsync("/tasks/interaction", new JsonObject
    {
        ["type"] = "message_ranking",
        ["user"] = User(user),
        ["message_id"] = messageId,
        ["ranking"] = JsonSerializer.SerializeToNode(order),
    });

    /// <summary>A prompt that three others have accepted and that has won the lottery; its id.</summary>
    public async Task<string> GrowingTreeAsync(string author = "author", string lang = "en")
    {
        var prompt = await WriteAsync(author, "initial_prompt", lang: lang);
        foreach (var reviewer in (string[])["reviewer1", "reviewer2", "reviewer3"])
        {
            await LabelAsync(reviewer, "label_initial_prompt", lang: lang);
        }
        await host.RunJobsAsync();
        return (string)(await GetAsync($"/frontend_messages/{prompt}"))["id"]!;
    }

    /// <summary>A tree with three accepted answers, up for ranking; its id.</summary>
    public async Task<string> RankingTreeAsync()
    {
        var tree = await GrowingTreeAsync();
        foreach (var user in (string[])["first", "second", "third"])
        {
            await WriteAsync(user, "assistant_reply");
        }
        foreach (var reviewer in (string[])["reviewer1", "reviewer2", "reviewer3"])
        {
            for (var reply = 0; reply < 3; reply++)
            {
                await LabelAsync(reviewer, "label_assistant_reply");
            }
        }
        return tree;
    }

    public async Task<string> StateAsync(string messageId) => (string)(await GetAsync($"/messages/{messageId}/tree/state"))["state"]!;

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();
}
