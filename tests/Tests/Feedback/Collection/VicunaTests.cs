using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Feedback.Collection;

/// <summary>
/// Eighty questions with the answers of five models, ranked by annotators who follow the scores of a judge, each in his own way.
/// </summary>
public sealed class VicunaTests : IDisposable
{
    private const int Annotators = 3;
    private const string Opponent = "vicuna-13b";

    private readonly string folder = Directory.CreateTempSubdirectory("stoa-vicuna").FullName;
    private readonly List<Question> questions = [];

    /// <summary>What each annotator said of each tree, best first.</summary>
    private readonly Dictionary<Guid, List<Guid[]>> ballots = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Real_answers_are_ranked_by_people_and_leave_as_pairs()
    {
        var data = Repository.Shared("data/vicuna-bench");
        Assert.SkipUnless(data is not null, "../shared/data/vicuna-bench is not here.");
        await using var site =
            await ReadingSite.StartAsync(new(StringComparer.OrdinalIgnoreCase) { ["Feedback:RateLimit:Enabled"] = "false" });
        site.Host.Client.DefaultRequestHeaders.Authorization = new("Bearer", "stoa-dev");
        Read(data);
        await ImportAsync(site);
        Assert.Equal(80, await site.AskAsync<long>("select count(*) from feedback.message_tree_state where state = 'ranking'"));

        foreach (var annotator in Enumerable.Range(1, Annotators))
        {
            await RankAllAsync(site, annotator);
        }

        Assert.Equal(80, await site.AskAsync<long>("select count(*) from feedback.message_tree_state where state = 'ready_for_export'"));
        foreach (var question in questions)
        {
            var children = (await site.GetAsync($"/messages/{question.Tree}/children")).AsArray();
            Assert.Equal(ByElimination(ballots[question.Tree]),
                children.OrderBy(child => (int)child!["rank"]!).Select(child => (Guid)child!["id"]!));
        }
        await CheckPairsAsync(site);
        await CheckPreferencesAsync(site);
        Assert.Empty(await site.BrokenAsync());
    }

    /// <summary>
    /// Ranked pairs without a graph: of all orders those are kept that agree with the clearest majority, of these those that agree with the
    /// next, and so on, passing by a majority that no order agrees with any more. One is left.
    /// </summary>
    private static Guid[] ByElimination(List<Guid[]> votes)
    {
        var orders = Permutations([.. votes[0].Order()]).ToList();
        var majorities =
            from one in votes[0].Order()
            from other in votes[0].Order()
            where one != other
            let margin = votes.Sum(vote => Array.IndexOf(vote, one) < Array.IndexOf(vote, other) ? 1 : -1)
            where margin >= 0
            orderby margin descending
            select (Better: one, Worse: other);
        foreach (var (better, worse) in majorities)
        {
            if (orders.FindAll(order => Array.IndexOf(order, better) < Array.IndexOf(order, worse)) is [_, ..] kept)
            {
                orders = kept;
            }
        }
        return Assert.Single(orders);
    }

    private static IEnumerable<Guid[]> Permutations(Guid[] items) => items.Length == 0
        ? [[]]
        : items.SelectMany(first => Permutations([.. items.Where(item => item != first)]).Select(rest => (Guid[])[first, .. rest]));

    private void Read(string data)
    {
        var answers = Directory.GetFiles(data, "answers-*.jsonl").Order(StringComparer.Ordinal).ToDictionary(
            file => Path.GetFileNameWithoutExtension(file)["answers-".Length..],
            file => Lines(file).ToDictionary(answer => (int)answer["question_id"]!, answer => (string)answer["text"]!),
            StringComparer.Ordinal);
        var reviews = answers.Keys.Where(model => model != Opponent).ToDictionary(
            model => model,
            model => Lines(Path.Combine(data, $"reviews-{model}-vs-{Opponent}.jsonl")).ToDictionary(
                review => (int)review["question_id"]!, review => review["score"]!.AsArray().Select(score => (double)score!).ToArray()),
            StringComparer.Ordinal);
        foreach (var question in Lines(Path.Combine(data, "questions.jsonl")))
        {
            var number = (int)question["question_id"]!;
            var scores = reviews.ToDictionary(review => review.Key, review => review.Value[number][0], StringComparer.Ordinal);
            scores[Opponent] = reviews.Values.Average(review => review[number][1]);
            questions.Add(new(
                Guid.Parse(string.Create(CultureInfo.InvariantCulture, $"00000000-0000-7000-8000-{number:d12}")), (string)question["text"]!,
                [.. answers.Select(answer => new Answer(answer.Key, answer.Value[number], scores[answer.Key]))]));
        }
    }

    private async Task ImportAsync(ReadingSite site)
    {
        using var answer = await site.Host.Client.PostAsJsonAsync(new Uri("/api/stoa/feedback/trees", UriKind.Relative), new
        {
            trees = questions.Select(question => new
            {
                id = question.Tree,
                origin = "vicuna-bench",
                conversation = new[] { new { role = "user", text = question.Text } },
                candidates = question.Answers.Select(one => new { text = one.Text, source = new { name = one.Model, model = one.Model } }),
            }),
        }, Ct);
        var made = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!;
        Assert.True(answer.IsSuccessStatusCode, made.ToJsonString());
        foreach (var (question, tree) in questions.Zip(made["trees"]!.AsArray()))
        {
            question.Candidates = [.. tree!["candidate_ids"]!.AsArray().Select(id => (Guid)id!)];
        }
    }

    /// <summary>Until there is nothing more for this annotator, whose opinions differ from the scores by up to two points.</summary>
    private async Task RankAllAsync(ReadingSite site, int annotator)
    {
        var random = new Random(annotator);
        var user = FeedbackSite.User($"annotator{annotator}");
        while (await site.SendAsync(
            "POST", "/tasks/", new JsonObject { ["type"] = "rank_assistant_replies", ["user"] = user.DeepClone(), ["lang"] = "en" })
            is (200, { } task))
        {
            var question = questions.Find(one => one.Tree == (Guid)task["message_tree_id"]!)!;
            var replies = task["reply_messages"]!.AsArray().Select(reply => (Guid)reply!["id"]!).ToList();
            var opinion =
                question.Candidates.Zip(question.Answers, (id, answer) => (Id: id, Score: answer.Score + (random.NextDouble() * 4) - 2));
            Guid[] order = [.. opinion.OrderByDescending(one => one.Score).Select(one => one.Id)];
            var id = $"{annotator}-{question.Tree}";
            Assert.Equal(204, (await site.SendAsync("POST", $"/tasks/{task["id"]}/ack", new { message_id = id })).Status);
            var (status, done) = await site.SendAsync("POST", "/tasks/interaction", new JsonObject
            {
                ["type"] = "message_ranking", ["user"] = user.DeepClone(), ["message_id"] = id,
                ["ranking"] = new JsonArray([.. order.Select(best => JsonValue.Create(replies.IndexOf(best)))]),
            });
            Assert.True(status == 200, $"{status} {done?.ToJsonString()}");
            (ballots.TryGetValue(question.Tree, out var given) ? given : ballots[question.Tree] = []).Add(order);
        }
    }

    private async Task CheckPairsAsync(ReadingSite site)
    {
        var path = Path.Combine(folder, "pairs.jsonl");
        await site.CommandAsync((commands, tell) => commands.ExportAsync(
            path, new() { Format = "preference", IncludeSynthetic = true }, Stream.Null, tell, Ct));
        var pairs = File.ReadLines(path).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(
            await site.AskAsync<long>("""
                select count(*) from feedback.message better
                join feedback.message worse on worse.parent_id = better.parent_id and worse.rank > better.rank
                where better.text <> worse.text
                """),
            pairs.Count);
        Assert.InRange(pairs.Count, 790, 800);
        Assert.All(pairs, pair => Assert.NotEqual(pair["chosen"]!.ToJsonString(), pair["rejected"]!.ToJsonString()));
    }

    /// <summary>Every single ballot says of two sources which one is better.</summary>
    private async Task CheckPreferencesAsync(ReadingSite site)
    {
        var text = await site.Host.Client.GetStringAsync(new Uri("/api/stoa/feedback/preferences", UriKind.Relative), Ct);
        var figures = JsonNode.Parse(text)!;
        var names = figures["sources"]!.AsArray().Select(source => (string)source!["name"]!).ToArray();
        var wins = questions.SelectMany(question => ballots[question.Tree].SelectMany(ballot =>
            from winner in question.Candidates.Index()
            from loser in question.Candidates.Index()
            where Array.IndexOf(ballot, winner.Item) < Array.IndexOf(ballot, loser.Item)
            select $"{question.Answers[winner.Index].Model} > {question.Answers[loser.Index].Model}"));
        Assert.Equal(
            wins.CountBy(win => win, StringComparer.Ordinal).Select(win => $"{win.Key}: {win.Value}").Order(StringComparer.Ordinal),
            figures["pairs"]!.AsArray().Select(pair => $"{names[(int)pair!["winner"]!]} > {names[(int)pair["loser"]!]}: {pair["wins"]}")
                .Order(StringComparer.Ordinal));
        Assert.Equal(80 * Annotators * 10, figures["pairs"]!.AsArray().Sum(pair => (int)pair!["wins"]!));
    }

    private static IEnumerable<JsonNode> Lines(string file) => File.ReadLines(file).Select(line => JsonNode.Parse(line)!);

    private sealed record Question(Guid Tree, string Text, IReadOnlyList<Answer> Answers)
    {
        public Guid[] Candidates { get; set; } = [];
    }

    private sealed record Answer(string Model, string Text, double Score);
}
