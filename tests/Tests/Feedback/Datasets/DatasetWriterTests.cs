using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Feedback.Datasets;

namespace Stoa.Tests.Feedback.Datasets;

public sealed class DatasetWriterTests : IDisposable
{
    private static readonly Dictionary<string, string> Filters = new() { ["lang"] = "en" };

    private readonly string folder = Directory.CreateTempSubdirectory("stoa-dataset").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task What_is_written_reads_back_as_the_same_trees()
    {
        var trees = Trees(3).ToList();
        await WriteAsync("trees.jsonl.gz", new(DatasetFormat.Tree), trees);

        await using var file = OasstFile.OpenRead(At("trees.jsonl.gz"));
        var read = await OasstFile.ReadAsync(file, Ct).Select(line => line.Tree!).ToListAsync(Ct);

        Assert.Equal(trees.Select(Shape), read.Select(Shape));
    }

    [Fact]
    public async Task The_flat_form_has_a_line_for_each_message_parents_first()
    {
        await WriteAsync("flat.jsonl", new(DatasetFormat.Flat), Trees(2));

        await using var file = OasstFile.OpenRead(At("flat.jsonl"));
        var read = await OasstFile.ReadAsync(file, Ct).Select(line => line.Message!).ToListAsync(Ct);

        Assert.Equal(4, read.Count);
        Assert.All(read, message => Assert.Equal("ready_for_export", message.TreeState));
        Assert.Equal(read[0].MessageId, read[1].ParentId);
    }

    [Fact]
    public async Task A_cut_export_goes_on_and_ends_with_the_same_bytes()
    {
        var trees = Trees(2_500).ToList();
        var whole = await WriteAsync("whole.jsonl.gz", new(DatasetFormat.Sft), trees);
        await using (var cut = await OpenAsync("cut.jsonl.gz", new(DatasetFormat.Sft)))
        {
            foreach (var tree in trees.Take(1_700))
            {
                await cut.AddAsync(Guid.Parse(tree.MessageTreeId), tree, Ct);
            }
        }

        await using var goesOn = await OpenAsync("cut.jsonl.gz", new(DatasetFormat.Sft));
        Assert.Equal(trees[999].MessageTreeId, goesOn.After.ToString());
        foreach (var tree in trees.Skip(1_000))
        {
            await goesOn.AddAsync(Guid.Parse(tree.MessageTreeId), tree, Ct);
        }
        var manifest = await goesOn.CompleteAsync(Ct);

        Assert.Equal(whole.Parts[0].Sha256, manifest.Parts[0].Sha256);
        Assert.Equal(2_500, manifest.Rows);
        Assert.Equal(["cut.jsonl.gz", "cut.jsonl.gz.manifest.json"], Names("cut*"));
    }

    [Fact]
    public async Task A_cut_export_with_other_filters_is_begun_anew()
    {
        await CutAsync();
        await using var other = await DatasetWriter.OpenAsync(
            At("cut.jsonl"), new(DatasetFormat.Sft), DatasetSplits.None,
            Pseudonyms.None, new Dictionary<string, string> { ["lang"] = "de" }, Ct);
        Assert.Null(other.After);
        Assert.Equal(0, (await other.CompleteAsync(Ct)).Rows);
    }

    [Fact]
    public async Task A_cut_export_knows_how_many_trees_it_had()
    {
        await CutAsync();
        await using var goesOn = await OpenAsync("cut.jsonl", new(DatasetFormat.Sft));
        Assert.Equal(1_000, goesOn.Given);
    }

    [Fact]
    public async Task A_cut_export_does_not_go_on_with_other_pseudonyms()
    {
        await CutAsync();
        await using var other =
            await DatasetWriter.OpenAsync(At("cut.jsonl"), new(DatasetFormat.Sft), DatasetSplits.None, new(7), Filters, Ct);
        Assert.Null(other.After);
    }

    [Fact]
    public async Task A_cut_export_whose_file_is_gone_is_begun_anew()
    {
        await CutAsync();
        File.Delete(At("cut.jsonl.part"));
        await using var other = await OpenAsync("cut.jsonl", new(DatasetFormat.Sft));
        Assert.Null(other.After);
    }

    [Fact]
    public async Task The_manifest_counts_and_hashes_each_part()
    {
        var splits = DatasetSplits.Parse("train=0.8,test=0.2")!;
        var manifest = await WriteAsync("set.jsonl", new(DatasetFormat.Sft), Trees(200), splits);

        Assert.Equal(["set.train.jsonl", "set.test.jsonl"], manifest.Parts.Select(part => part.File));
        Assert.All(manifest.Parts, part =>
        {
            var bytes = File.ReadAllBytes(At(part.File));
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), part.Sha256);
            Assert.Equal(bytes.Length, part.Bytes);
            Assert.Equal(bytes.Count(one => one == '\n'), part.Rows);
        });
        Assert.Equal(200, manifest.Rows);
        Assert.InRange(manifest.Parts[0].Rows, 130, 190);
        var written = JsonNode.Parse(await File.ReadAllTextAsync(At("set.jsonl.manifest.json"), Ct))!;
        Assert.Equal("en", (string?)written["filters"]!["lang"]);
    }

    [Fact]
    public async Task Csv_is_quoted_and_never_a_formula()
    {
        var tree = Trees(1).First();
        tree = tree with { Prompt = tree.Prompt with { Text = "=1+\"2\",\n3", Replies = null } };
        await WriteAsync("set.csv", new(DatasetFormat.Csv), [tree]);

        var csv = await File.ReadAllTextAsync(At("set.csv"), Ct);

        Assert.StartsWith(CsvText.Header, csv, StringComparison.Ordinal);
        Assert.Contains(",en,\"'=1+\"\"2\"\",\n3\",", csv, StringComparison.Ordinal);
    }

    [Fact]
    public void Pseudonyms_are_the_originals()
    {
        var expected = Convert.ToHexStringLower(SHA256.HashData("message:id17"u8));
        Assert.Equal(expected, new Pseudonyms(17).Message("id"));
        Assert.Equal("id", Pseudonyms.None.Message("id"));
        var tree = new Pseudonyms(17).Apply(Trees(1).First());
        Assert.Equal(tree.Prompt.MessageId, tree.MessageTreeId);
        Assert.Equal(tree.Prompt.MessageId, tree.Prompt.Replies![0].ParentId);
    }

    [Theory]
    [InlineData("train=0.5")]
    [InlineData("train=0.5,train=0.5")]
    [InlineData("train=1.5,test=-0.5")]
    [InlineData("../x=1")]
    [InlineData("")]
    public void A_split_that_does_not_add_up_is_none(string text) => Assert.Null(DatasetSplits.Parse(text));

    [Theory]
    [InlineData("nonsense", "Line 1")]
    [InlineData("{}", "Line 1")]
    [InlineData("""{"message_id":"x","text":"t","role":"prompter"}""", "no message id")]
    [InlineData("""{"message_id":"00000000-0000-0000-0000-000000000001","text":"t","role":"king"}""", "no known role")]
    [InlineData("""{"message_id":"00000000-0000-0000-0000-000000000001","text":null,"role":"prompter"}""", "Line 1")]
    [InlineData(
        """{"message_tree_id":"00000000-0000-0000-0000-000000000001","tree_state":"growing","prompt":{"message_id":"00000000-0000-0000-0000-000000000002","text":"t","role":"prompter"}}""", "id of its tree")]
    [InlineData("""{"message_id":"00000000-0000-0000-0000-000000000001","text":"t","role":"prompter","replies":[null]}""", "is null")]
    [InlineData("""{"message_id":"00000000-0000-0000-0000-000000000001","text":"t","role":"prompter","labels":{"spam":null}}""", "a label")]
    [InlineData(
        """{"message_id":"00000000-0000-0000-0000-000000000001","text":"t","role":"prompter","labels":{"spam":{"value":1,"count":0}}}""",
        "a label")]
    [InlineData("""{"message_id":"00000000-0000-0000-0000-000000000001","text":"t","role":"prompter","emojis":{"\u0000":1}}""", "an emoji")]
    [InlineData("""{"message_id":"00000000-0000-0000-0000-000000000001","text":"t","role":"prompter","lang":"e\u0000"}""", "a lang")]
    [InlineData(
        """{"message_id":"00000000-0000-0000-0000-000000000001","text":"t","role":"prompter","lang":"123456789012345678901234567890123"}""",
        "a lang")]
    public async Task A_wrong_line_is_named(string line, string problem)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(line));
        var error = await Assert.ThrowsAsync<InvalidDataException>(async () => await OasstFile.ReadAsync(stream, Ct).CountAsync(Ct));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_column_form_of_emojis_and_labels_is_read()
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes("""
            {"message_id":"00000000-0000-0000-0000-000000000001","text":"t","role":"prompter","emojis":{"name":["+1"],"count":[3]},"labels":{"name":["spam"],"value":[0.5],"count":[2]}}
            """));
        var message = (await OasstFile.ReadAsync(stream, Ct).SingleAsync(Ct)).Message!;
        Assert.Equal(3, message.Emojis!["+1"]);
        Assert.Equal(new OasstLabel(0.5, 2), message.Labels!["spam"]);
    }

    private async Task CutAsync()
    {
        await using var cut = await OpenAsync("cut.jsonl", new(DatasetFormat.Sft));
        foreach (var tree in Trees(1_000))
        {
            await cut.AddAsync(Guid.Parse(tree.MessageTreeId), tree, Ct);
        }
    }

    private static IEnumerable<OasstTree> Trees(int count) => Enumerable.Range(1, count).Select(number =>
    {
        var id = $"00000000-0000-0000-0000-{number.ToString("x12", CultureInfo.InvariantCulture)}";
        return new OasstTree
        {
            MessageTreeId = id, TreeState = "ready_for_export",
            Prompt = new()
            {
                MessageId = id, Role = OasstMessage.Prompter, Text = $"question {number} — ünïcode", Lang = "en",
                CreatedDate = DateTimeOffset.UnixEpoch.AddSeconds(number), Emojis = new Dictionary<string, int> { ["+1"] = number },
                Replies =
                [
                    new() { MessageId = $"1{id[1..]}", ParentId = id, Role = OasstMessage.Assistant,
                        Text = $"answer {number}", Rank = 0, UserId = "u" },
                ],
            },
        };
    });

    private static string Shape(OasstTree tree) => string.Join('|', tree.Messages().Select(message =>
        $"{message.MessageId} {message.ParentId} {message.Role} {message.Text} {message.Rank} {message.CreatedDate} {message.Emojis?.GetValueOrDefault("+1")}"));

    private Task<DatasetWriter> OpenAsync(string name, TrainingShape shape, DatasetSplits? splits = null) =>
        DatasetWriter.OpenAsync(At(name), shape, splits ?? DatasetSplits.None, Pseudonyms.None, Filters, Ct);

    private async Task<DatasetManifest> WriteAsync(
        string name, TrainingShape shape, IEnumerable<OasstTree> trees, DatasetSplits? splits = null)
    {
        await using var writer = await OpenAsync(name, shape, splits);
        foreach (var tree in trees)
        {
            await writer.AddAsync(Guid.Parse(tree.MessageTreeId), tree, Ct);
        }
        return await writer.CompleteAsync(Ct);
    }

    private string At(string name) => Path.Combine(folder, name);

    private IEnumerable<string?> Names(string pattern) =>
        Directory.GetFiles(folder, pattern).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
