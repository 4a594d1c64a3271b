using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Feedback.Commands;
using Stoa.Platform.Http;
using Stoa.Tests.Support;

namespace Stoa.Tests.Feedback.Datasets;

public sealed class ImportExportTests(SharedReading shared) : IClassFixture<SharedReading>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("stoa-import").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task An_exported_file_comes_back_as_the_same_forest()
    {
        var terms = new ExportTerms { State = "all", IncludeSynthetic = true, IncludeDeleted = true, WithLabels = true };
        var site = await shared.FreshAsync();
        await ImportAsync(site, Forest(40));
        await ExportAsync(site, "one.jsonl.gz", terms);

        await shared.FreshAsync();
        var told = await site.CommandAsync(
            (commands, tell) => commands.ImportAsync(At("one.jsonl.gz"), new(KeepStates: true), tell, Ct));
        await ExportAsync(site, "two.jsonl.gz", terms);

        Assert.Equal("Imported 160 messages in 40 new trees from 40 lines; 0 were there, 0 had no parent.", told[^1]);
        Assert.Equal(Trees("one.jsonl.gz"), Trees("two.jsonl.gz"));
        Assert.Equal(40, Trees("two.jsonl.gz").Count);
        Assert.Empty(await site.BrokenAsync());
    }

    [Fact]
    public async Task The_same_selection_gives_the_same_bytes()
    {
        var site = await shared.FreshAsync();
        await ImportAsync(site, Forest(20));
        var terms = new ExportTerms { Format = "preference", State = "all",
            IncludeSynthetic = true, AnonymizerSeed = 7, Splits = "train=0.7,test=0.3" };

        await ExportAsync(site, "a.jsonl", terms);
        await ExportAsync(site, "b.jsonl", terms);

        Assert.Equal(File.ReadAllBytes(At("a.train.jsonl")), File.ReadAllBytes(At("b.train.jsonl")));
        // Three ranked replies to each of 20 prompts: three pairs each.
        Assert.Equal(60, File.ReadAllLines(At("a.train.jsonl")).Length + File.ReadAllLines(At("a.test.jsonl")).Length);
    }

    [Fact]
    public async Task An_import_that_is_begun_again_goes_on()
    {
        var site = await shared.FreshAsync();
        var forest = Forest(10);
        await ImportAsync(site, forest[..4]);

        var told = await ImportAsync(site, forest);

        Assert.Equal("Imported 24 messages in 6 new trees from 10 lines; 4 were there, 0 had no parent.", told[^1]);
        Assert.Equal(40, await site.AskAsync<long>("select count(*) from feedback.message"));
    }

    [Fact]
    public async Task A_dry_run_counts_and_changes_nothing()
    {
        var site = await shared.FreshAsync();
        File.WriteAllLines(At("in.jsonl"), Forest(3));
        var told = await site.CommandAsync((commands, tell) => commands.ImportAsync(At("in.jsonl"), new(IsDryRun: true), tell, Ct));

        Assert.Equal("Would import 12 messages in 3 new trees from 3 lines; 0 were there, 0 had no parent.", told[^1]);
        Assert.Equal(0, await site.AskAsync<long>("select count(*) from feedback.message"));
    }

    [Fact]
    public async Task Flat_messages_grow_trees_and_orphans_are_counted()
    {
        var site = await shared.FreshAsync();
        await ImportAsync(site,
        [
            Flat(1, null, "prompter"), Flat(2, 1, "assistant"), Flat(3, 2, "prompter"), Flat(9, 8, "assistant"),
        ]);

        var told = await ImportAsync(site, [Flat(4, 3, "assistant"), Flat(1, null, "prompter")]);

        Assert.Equal("Imported 1 messages in 0 new trees from 2 lines; 1 were there, 0 had no parent.", told[^1]);
        Assert.Equal("0 1 2 3", await site.AskAsync<string>("select string_agg(depth::text, ' ' order by depth) from feedback.message"));
        Assert.Equal(
            "1 1 1 0", await site.AskAsync<string>("select string_agg(children_count::text, ' ' order by depth) from feedback.message"));
    }

    [Fact]
    public async Task The_first_trees_are_ranked_and_the_others_wait()
    {
        var site = await shared.FreshAsync();
        File.WriteAllLines(At("in.jsonl"), Forest(3));
        await site.CommandAsync((commands, tell) => commands.ImportAsync(At("in.jsonl"), new(Activate: 1), tell, Ct));

        Assert.Equal("""{"ranking": 1, "backlog_ranking": 2}""", await site.AskAsync<string>(
            "select jsonb_object_agg(state, count)::text from (select state, count(*) from feedback.message_tree_state group by state) as counted"));
        Assert.Equal(1, await site.AskAsync<long>("select count(*) from feedback.offer where work = 'ranking'"));
    }

    // A thousand messages come in at once, and the last tree has some on both sides.
    [Fact]
    public async Task A_flat_tree_comes_in_whole_before_it_is_set_going()
    {
        var site = await shared.FreshAsync();
        File.WriteAllLines(At("in.jsonl"),
            Enumerable.Range(1, 334).SelectMany(tree => Enumerable.Range(0, 3).Select(message => JsonSerializer.Serialize(new
        {
            message_id = Id(tree, message), parent_id = message == 0 ? null : Id(tree, 0),
            text = $"t{message}", role = message == 0 ? "prompter" : "assistant",
        }))));

        await site.CommandAsync((commands, tell) => commands.ImportAsync(At("in.jsonl"), new(Activate: 1_000), tell, Ct));

        Assert.Equal("""{"ranking": 334}""", await site.AskAsync<string>(
            "select jsonb_object_agg(state, count)::text from (select state, count(*) from feedback.message_tree_state group by state) as counted"));
    }

    [Fact]
    public async Task A_message_that_another_tree_has_is_told_by_its_line()
    {
        var site = await shared.FreshAsync();
        await ImportAsync(site, Forest(1));
        var other = Forest(2)[1].Replace(Id(2, 1), Id(1, 1), StringComparison.Ordinal);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => ImportAsync(site, [other]));

        Assert.Contains("up to 1 is a message whose id another tree has", error.Message, StringComparison.Ordinal);
        Assert.Equal(4, await site.AskAsync<long>("select count(*) from feedback.message"));
    }

    [Fact]
    public async Task A_limit_of_none_gives_nothing()
    {
        var site = await shared.FreshAsync();
        await ImportAsync(site, Forest(2));
        await ExportAsync(site, "none.jsonl", new() { State = "all", IncludeSynthetic = true, Limit = 0 });
        Assert.Empty(File.ReadAllLines(At("none.jsonl")));
    }

    [Fact]
    public async Task A_wrong_line_is_told_with_its_number()
    {
        var site = await shared.FreshAsync();
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => ImportAsync(site, [.. Forest(1), "{"]));
        Assert.StartsWith("Line 2:", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("xml", null, "format is one of")]
    [InlineData("tree", "sleeping", "state is one of")]
    [InlineData("sft", "all", "Single messages")]
    public async Task Terms_that_make_no_sense_are_refused(string format, string? state, string problem)
    {
        var site = await shared.FreshAsync();
        var failure = await Assert.ThrowsAsync<Failure>(() =>
            ExportAsync(site, "x.jsonl", new() { Format = format, State = state, DeletedOnly = format == "sft" }));
        Assert.StartsWith(problem, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_of_one_user_come_one_by_one()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        var root = await site.SayAsync(ReadingSite.Alice, "hers");
        await site.SayAsync(ReadingSite.Bob, "his", root);

        using var output = new MemoryStream();
        await site.CommandAsync((commands, tell) => commands.ExportAsync(null, new() { User = ReadingSite.Bob }, output, tell, Ct));

        var line = JsonNode.Parse(output.ToArray())!;
        Assert.Equal(("his", root, "growing"), ((string?)line["text"], (Guid)line["message_tree_id"]!, (string?)line["tree_state"]));
    }

    [Fact]
    public async Task Ranks_are_computed_again_when_it_is_committed()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        var root = await site.SayAsync(ReadingSite.Alice, "prompt");
        var (one, two) = (await site.SayAsync(ReadingSite.Bob, "one", root), await site.SayAsync(ReadingSite.Alice, "two", root));
        await site.RankAsync(ReadingSite.Alice, root, two, one);
        await site.RunAsync("update feedback.message_tree_state set state = 'ready_for_export', active = false");

        var dry = await site.CommandAsync((commands, tell) => commands.RerankAsync(commit: false, tell, Ct));
        Assert.Equal(0, await site.AskAsync<long>("select count(*) from feedback.message where rank is not null"));
        await site.CommandAsync((commands, tell) => commands.RerankAsync(commit: true, tell, Ct));

        Assert.StartsWith("1 trees, 1 ranked parents, 2 ranks would change", dry[0], StringComparison.Ordinal);
        Assert.Equal($"{two} {one}",
            await site.AskAsync<string>("select string_agg(id::text, ' ' order by rank) from feedback.message where rank is not null"));
    }

    [Fact]
    public async Task Real_questions_become_trees_and_pairs()
    {
        var data = Repository.Shared("data/vicuna-bench");
        Assert.SkipUnless(data is not null, "../shared/data/vicuna-bench is not here.");
        var site = await shared.FreshAsync();
        await ImportAsync(site, [.. Vicuna(data)]);

        await ExportAsync(site, "pairs.jsonl", new() { Format = "preference", State = "all", IncludeSynthetic = true });
        await ExportAsync(site, "chats.jsonl", new() { Format = "sft", State = "all", IncludeSynthetic = true });

        Assert.Equal(80, await site.AskAsync<long>("select count(*) from feedback.message_tree_state"));
        Assert.Equal(80, File.ReadAllLines(At("chats.jsonl")).Length);
        var pairs = File.ReadAllLines(At("pairs.jsonl")).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(
            await site.AskAsync<long>("""
                select count(*) from feedback.message better join feedback.message worse using (parent_id)
                where better.rank < worse.rank and better.text <> worse.text
                """),
            pairs.Count);
        Assert.All(pairs, pair => Assert.NotEqual(pair["chosen"]!.ToJsonString(), pair["rejected"]!.ToJsonString()));
        Assert.Empty(await site.BrokenAsync());
    }

    /// <summary>A prompt with three ranked answers, labels and emojis.</summary>
    private static string[] Forest(int trees) => [.. Enumerable.Range(1, trees).Select(tree => JsonSerializer.Serialize(new
    {
        message_tree_id = Id(tree, 0),
        tree_state = tree % 2 == 0 ? "ready_for_export" : "halted_by_moderator",
        origin = "test",
        prompt = new
        {
            message_id = Id(tree, 0), created_date = "2024-01-02T03:04:05.000006+00:00",
            text = $"question {tree} \u20ac \U0001f600", role = "prompter", lang = "en",
            review_count = 3, review_result = true, deleted = false,
            synthetic = false, emojis = new Dictionary<string, int> { ["+1"] = tree },
            labels = new { quality = new { value = 0.25, count = 2 } },
            replies = Enumerable.Range(0, 3).Select(rank => new
            {
                message_id = Id(tree, rank + 1), parent_id = Id(tree, 0),
                created_date = "2024-01-02T03:04:06+00:00", text = $"answer {rank} of {tree}",
                role = "assistant", lang = "en", review_count = 3, review_result = true, rank, synthetic = true, model_name = "m",
            }),
        },
    }))];

    private static string Flat(int id, int? parent, string role) => JsonSerializer.Serialize(new
    {
        message_id = Id(1, id), parent_id = parent is { } above ? Id(1, above) : null, text = $"t{id}", role, message_tree_id = Id(1, 1),
        tree_state = "growing",
    });

    private static string Id(int tree, int message) =>
        string.Create(CultureInfo.InvariantCulture, $"00000000-0000-7000-8000-{tree:x6}{message:x6}");

    /// <summary>The questions with the answers of five models, ranked by the place of their files.</summary>
    private static IEnumerable<string> Vicuna(string folder)
    {
        var answers = Directory.GetFiles(folder, "answers-*.jsonl").Order(StringComparer.Ordinal).Select(file => (
            Model: Path.GetFileNameWithoutExtension(file)["answers-".Length..],
            Texts: File.ReadLines(file).Select(line => JsonNode.Parse(line)!)
            .ToDictionary(one => (int)one["question_id"]!, one => (string)one["text"]!))).ToList();
        return File.ReadLines(Path.Combine(folder, "questions.jsonl")).Select(line => JsonNode.Parse(line)!).Select(question =>
        {
            var number = (int)question["question_id"]!;
            return JsonSerializer.Serialize(new
            {
                message_tree_id = Id(number, 0), tree_state = "ranking",
                prompt = new
                {
                    message_id = Id(number, 0), text = (string)question["text"]!, role = "prompter", synthetic = false,
                    replies = answers.Select((answer, rank) => new
                    {
                        message_id = Id(number, rank + 1), text = answer.Texts[number], role = "assistant", rank, model_name = answer.Model,
                    }),
                },
            });
        });
    }

    private Task<List<string>> ImportAsync(ReadingSite site, string[] lines)
    {
        File.WriteAllLines(At("in.jsonl"), lines);
        return site.CommandAsync((commands, tell) => commands.ImportAsync(At("in.jsonl"), new(KeepStates: true), tell, Ct));
    }

    private Task<List<string>> ExportAsync(ReadingSite site, string name, ExportTerms terms) =>
        site.CommandAsync((commands, tell) => commands.ExportAsync(At(name), terms, Stream.Null, tell, Ct));

    /// <summary>Each tree without its author, who is the import itself and another in each store.</summary>
    private List<string> Trees(string name)
    {
        using var lines = new StreamReader(Stoa.Feedback.Datasets.OasstFile.OpenRead(At(name)));
        var trees = new List<string>();
        while (lines.ReadLine() is { } line)
        {
            var tree = JsonNode.Parse(line)!;
            Assert.Equal("2024-01-02T03:04:05.000006+00:00", (string?)tree["prompt"]!["created_date"]);
            foreach (var message in tree["prompt"]!["replies"]!.AsArray().Append(tree["prompt"]))
            {
                message!.AsObject().Remove("user_id");
            }
            trees.Add(tree.ToJsonString());
        }
        return trees;
    }

    private string At(string name) => Path.Combine(folder, name);
}
