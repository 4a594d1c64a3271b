using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Feedback;

/// <summary>
/// Plays as the original's automatic bot does: asks for any task in the name of any of its users, shows it, and answers it. What was
/// answered with 200 is noted, and so is every status that a bot does not expect.
/// </summary>
internal sealed class Bot(Uri address, int seed)
{
    private const int UsersOfOnePlayer = 3;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);

    private static readonly string[] Types =
    [
        "random", "initial_prompt", "prompter_reply", "assistant_reply", "rank_assistant_replies", "label_initial_prompt",
        "label_assistant_reply", "label_prompter_reply",
    ];

    /// <summary>Every answer that was accepted, as it was sent.</summary>
    public ConcurrentQueue<(string TaskType, JsonObject Answer, IReadOnlyList<string> About)> Accepted { get; } = [];

    public ConcurrentQueue<string> Unexpected { get; } = [];

    /// <summary>Calls that got no answer, or came while the server was starting.</summary>
    public int Cut => Volatile.Read(ref cut);

    private int cut;

    /// <summary>Until so many tasks are answered; each player has users of its own, and does one thing after the other.</summary>
    public Task PlayAsync(int players, int tasks) => PlayAsync(players, () => Accepted.Count >= tasks);

    /// <summary>Beside the work of others, as long as that goes on.</summary>
    public Task PlayAsync(int players, Task end) => PlayAsync(players, () => end.IsCompleted);

    private Task PlayAsync(int players, Func<bool> isEnough) =>
        Task.WhenAll(Enumerable.Range(0, players).Select(player => PlayOneAsync(player, isEnough)));

    public async Task WhenAcceptedAsync(int tasks)
    {
        while (Accepted.Count < tasks)
        {
            await Task.Delay(Moment, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    private async Task PlayOneAsync(int player, Func<bool> isEnough)
    {
        using var client = HostProcess.ClientAt(address);
        client.DefaultRequestHeaders.Add("X-API-Key", "1234");
        var random = new Random(unchecked((seed * 1_000) + player));
        for (var turn = 0; !isEnough(); turn++)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            try
            {
                await TakeTurnAsync(client, random, $"bot{player}-{random.Next(UsersOfOnePlayer)}", $"{seed}-{player}-{turn}");
            }
            catch (HttpRequestException)
            {
                Interlocked.Increment(ref cut);
                await Task.Delay(Moment, TimeProvider.System, TestContext.Current.CancellationToken);
            }
        }
    }

    private async Task TakeTurnAsync(HttpClient client, Random random, string user, string turn)
    {
        var type = Types[random.Next(Types.Length)];
        var wish = new JsonObject { ["type"] = type, ["user"] = FeedbackSite.User(user), ["lang"] = "en" };
        var (status, task) = await PostAsync(client, "/tasks/", wish);
        if (status == 503 && (int?)task?["error_code"] == 1006)
        {
            return;
        }
        if (!IsExpected(200, status, type, task))
        {
            return;
        }
        var (acknowledged, refusal) = await PostAsync(client, $"/tasks/{task!["id"]}/ack", new JsonObject { ["message_id"] = $"m{turn}" });
        if (!IsExpected(204, acknowledged, $"ack of {type}", refusal))
        {
            return;
        }
        var answer = Answer(task, random, user, turn);
        var (answered, done) = await PostAsync(client, "/tasks/interaction", answer);
        if (IsExpected(200, answered, $"answer to {task["type"]}", done) && (string?)done!["type"] == "task_done")
        {
            Accepted.Enqueue(((string)task["type"]!, answer, About(task)));
        }
    }

    /// <summary>By chance; labels mostly accept.</summary>
    public static JsonObject Answer(JsonNode task, Random random, string user, string turn)
    {
        var type = (string)task["type"]!;
        var answer = new JsonObject { ["user"] = FeedbackSite.User(user), ["message_id"] = $"m{turn}" };
        if (type.StartsWith("label_", StringComparison.Ordinal))
        {
            answer["type"] = "text_labels";
            answer["text"] = "";
            answer["message_id"] = (string)task["message_id"]!;
            answer["task_id"] = (string)task["id"]!;
            answer["labels"] =
                new JsonObject(task["valid_labels"]!.AsArray().Select(label => KeyValuePair.Create((string)label!, (JsonNode?)(
                (string)label! is "spam" or "lang_mismatch" ? (random.Next(20) == 0 ? 1 : 0) : Math.Round(random.NextDouble(), 2)))));
            return answer;
        }
        if (type.StartsWith("rank_", StringComparison.Ordinal))
        {
            var order = Enumerable.Range(0, task["replies"]!.AsArray().Count).ToArray();
            random.Shuffle(order);
            answer["type"] = "message_ranking";
            answer["ranking"] = new JsonArray([.. order.Select(index => JsonValue.Create(index))]);
            return answer;
        }
        answer["type"] = "text_reply_to_message";
        answer["user_message_id"] = $"t{turn}";
        answer["text"] = $"A {type.Replace('_', ' ')} of {user}, in turn {turn}";
        answer["lang"] = "en";
        return answer;
    }

    /// <summary>The messages that the answer counts for.</summary>
    private static IReadOnlyList<string> About(JsonNode task) => task["reply_messages"] is JsonArray replies
        ? [.. replies.Select(reply => (string)reply!["id"]!)]
        : task["message_id"] is { } message ? [(string)message!] : [];

    private bool IsExpected(int wanted, int status, string what, JsonNode? body)
    {
        if (status == wanted)
        {
            return true;
        }
        Unexpected.Enqueue($"{what}: {status} {body?.ToJsonString()}");
        return false;
    }

    private static async Task<(int Status, JsonNode? Body)> PostAsync(HttpClient client, string path, JsonObject body)
    {
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer =
            await client.PostAsync(new Uri($"/api/v1{path}", UriKind.Relative), content, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var read = text.Length == 0 ? null : JsonNode.Parse(text);
        return answer.StatusCode == HttpStatusCode.ServiceUnavailable && read?["error_code"] is null
            ? throw new HttpRequestException("The server is not ready")
            : ((int)answer.StatusCode, read);
    }
}
