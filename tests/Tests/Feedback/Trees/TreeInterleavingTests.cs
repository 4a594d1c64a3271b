using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Feedback.Trees;

/// <summary>
/// Whatever eight users and moderators do at the same time, trees stay whole. The seed gives what each of them does; how their calls
/// fall among each other is chance. <c>STOA_TREES_SEED</c> repeats a run.
/// </summary>
public sealed class TreeInterleavingTests(ITestOutputHelper output)
{
    private const int Users = 8, Rounds = 5, ActsOfOneRound = 60;

    private static readonly string[] Types =
    [
        "random", "random", "initial_prompt", "prompter_reply", "assistant_reply", "assistant_reply", "rank_assistant_replies",
        "rank_assistant_replies", "label_initial_prompt", "label_assistant_reply", "label_assistant_reply",
    ];

    private static readonly string[] Emojis = ["+1", "-1", "red_flag", "rofl"];

    private readonly ConcurrentQueue<string> wrong = [];

    [Fact]
    public async Task Eight_users_and_moderators_leave_every_tree_whole()
    {
        var seed = BotTests.Number("STOA_TREES_SEED") ?? Random.Shared.Next(1_000_000);
        output.WriteLine($"STOA_TREES_SEED={seed.ToString(CultureInfo.InvariantCulture)}");
        await using var site = await ReadingSite.StartAsync(new(BotTests.Settings, StringComparer.OrdinalIgnoreCase)
        {
            ["Feedback:TreeManager:GoalTreeSize"] = "4",
            ["Feedback:TreeManager:MaxActiveTrees"] = "8",
            ["Feedback:TreeManager:MaxInitialPromptReview"] = "4",
            ["Feedback:TreeManager:NumReviewsInitialPrompt"] = "2",
            ["Feedback:TreeManager:NumReviewsReply"] = "2",
            ["Feedback:TreeManager:NumRequiredRankings"] = "2",
            ["Feedback:TreeManager:AutoModRedFlags"] = "3",
            ["Feedback:TreeManager:AutoModMaxSkipReply"] = "4",
            ["Feedback:TreeManager:RecentTasksSpanSec"] = "1",
        });
        var people = Enumerable.Range(0, Users).Select(user => new Person(site, user, new(unchecked((seed * 10) + user)), wrong)).ToList();

        for (var round = 0; round < Rounds; round++)
        {
            await Task.WhenAll(people.Select(person => person.ActAsync(ActsOfOneRound, round)));
            await site.Host.RunJobsAsync();
            Assert.Equal("",
                string.Join('\n', [.. wrong, .. await site.BrokenAsync(), .. await WholeTrees.FaultsAsync(site, reviews: 2, rankings: 2)]));
        }
        var states = await site.AskAsync<string>(
            "select string_agg(state || ' ' || count, ', ') from (select state, count(*)::text from feedback.message_tree_state group by state) as counted");
        output.WriteLine(states);
        foreach (var state in (string[])["growing", "ready_for_export", "halted_by_moderator"])
        {
            Assert.Contains(state, states, StringComparison.Ordinal);
        }
    }

    /// <summary>One user, who is a moderator at times.</summary>
    private sealed class Person(ReadingSite site, int number, Random random, ConcurrentQueue<string> wrong)
    {
        private readonly List<string> known = [];
        private readonly string name = $"user{number}";

        private JsonObject User => FeedbackSite.User(name);

        public async Task ActAsync(int acts, int round)
        {
            for (var act = 0; act < acts; act++)
            {
                var message = known.Count > 0 ? known[random.Next(known.Count)] : null;
                await ((random.Next(100), message) switch
                {
                    ( < 70, _) or (_, null) => WorkAsync($"{round}-{number}-{act}"),
                    ( < 78, _) => CallAsync("POST", $"/messages/{message}/emoji",
                        new JsonObject { ["user"] = User, ["emoji"] = Emojis[random.Next(Emojis.Length)] }),
                    ( < 82, _) => CallAsync("DELETE", $"/messages/{message}"),
                    ( < 87, _) => CallAsync("PUT", $"/messages/{message}/undelete"),
                    ( < 89, _) => CallAsync("PUT", $"/messages/{message}/tree/state?halt=true"),
                    ( < 94, _) => CallAsync("PUT", $"/messages/{message}/tree/state?halt=false"),
                    ( < 97, _) => CallAsync("POST", $"/messages/{message}/edit",
                        new JsonObject { ["user"] = User, ["new_content"] = $"Edited by {name}, {act}" }),
                    _ => CallAsync("POST", "/text_labels/", new JsonObject
                    {
                        ["type"] = "text_labels", ["user"] = User, ["text"] = "x",
                        ["labels"] = new JsonObject { ["spam"] = 1 }, ["message_id"] = message,
                        ["is_report"] = random.Next(2) == 0,
                    }),
                });
            }
        }

        private async Task WorkAsync(string turn)
        {
            var asked = new JsonObject { ["type"] = Types[random.Next(Types.Length)], ["user"] = User, ["lang"] = "en" };
            if (await CallAsync("POST", "/tasks/", asked) is not (200, { } task))
            {
                return;
            }
            Learn(task);
            var id = (string)task["id"]!;
            if (random.Next(10) == 0)
            {
                await CallAsync("POST", $"/tasks/{id}/nack", new JsonObject { ["reason"] = "no idea" });
                return;
            }
            if (random.Next(10) == 0)
            {
                // Twice at once with two ids: one of them is the task's.
                var both = await Task.WhenAll(((string[])[$"m{turn}", $"n{turn}"]).Select(one =>
                    CallAsync("POST", $"/tasks/{id}/ack", new JsonObject { ["message_id"] = one })));
                Expect(both.Count(one => one.Status == 204) == 1,
                    $"Of two acknowledgements with two ids {both[0].Status} and {both[1].Status}");
                return;
            }
            await CallAsync("POST", $"/tasks/{id}/ack", new JsonObject { ["message_id"] = $"m{turn}" });
            var answer = Bot.Answer(task, random, name, turn);
            var sent = random.Next(4) == 0 ? 2 : 1;
            var answers =
                await Task.WhenAll(Enumerable.Range(0, sent).Select(_ => CallAsync("POST", "/tasks/interaction", answer.DeepClone())));
            Expect(answers.Count(one => one.Status == 200) <= 1, $"One answer to {task["type"]} counted twice");
        }

        /// <summary>No call ends in a fault of the server; that there is nothing to do is none.</summary>
        private async Task<(int Status, JsonNode? Body)> CallAsync(string method, string path, JsonNode? body = null)
        {
            var (status, answer) = await site.SendAsync(method, path, body);
            Expect(status < 500 || (status == 503 && (int?)answer?["error_code"] == 1006),
                $"{method} {path}: {status} {answer?.ToJsonString()}");
            return (status, answer);
        }

        private void Learn(JsonNode task)
        {
            if (task["message_id"] is { } labelled)
            {
                known.Add((string)labelled!);
            }
            known.AddRange((task["conversation"]?["messages"]?.AsArray() ?? []).Concat(task["reply_messages"]?.AsArray() ?? [])
                .Select(message => (string)message!["id"]!));
        }

        private void Expect(bool holds, string otherwise)
        {
            if (!holds)
            {
                wrong.Enqueue(otherwise);
            }
        }
    }
}
