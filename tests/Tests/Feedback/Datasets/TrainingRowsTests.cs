using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Feedback.Datasets;

namespace Stoa.Tests.Feedback.Datasets;

public sealed class TrainingRowsTests
{
    // q1 → a1 (rank 1, +1), a2 (rank 0), a3 (rank 2); a2 → q2 → b1, q3; a1 → q4 → b2.
    private static readonly OasstTree Tree = new()
    {
        MessageTreeId = "t", TreeState = "ready_for_export",
        Prompt = Said("prompter", "q1", null,
            Said("assistant", "a1", 1, Said("prompter", "q4", null, Said("assistant", "b2", null))) with
            {
                Emojis = new Dictionary<string, int> { ["+1"] = 2, ["-1"] = 1 },
            },
            Said("assistant", "a2", 0, Said("prompter", "q2", null, Said("assistant", "b1", null)), Said("prompter", "q3", null)) with
            {
                Labels = new Dictionary<string, OasstLabel> { ["quality"] = new(0.25, 3) },
            },
            Said("assistant", "a3", 2)),
    };

    [Fact]
    public void Threads_follow_the_best_reply_and_end_with_one() => Assert.Equal(
        ["""{"messages":[{"role":"user","content":"q1"},{"role":"assistant","content":"a2"},{"role":"user","content":"q2"},{"role":"assistant","content":"b1"}]}"""],
        Rows(new(DatasetFormat.Sft)));

    [Fact]
    public void Fine_tuning_and_ShareGpt_have_the_same_threads()
    {
        Assert.Equal(Rows(new(DatasetFormat.Sft)), Rows(new(DatasetFormat.OpenAi)));
        Assert.Equal(
            ["""{"conversations":[{"from":"human","value":"q1"},{"from":"gpt","value":"a2"},{"from":"human","value":"q2"},{"from":"gpt","value":"b1"}]}"""],
            Rows(new(DatasetFormat.ShareGpt)));
        Assert.Equal(["""{"text":"User: q1\n\nAssistant: a2\n\nUser: q2\n\nAssistant: b1"}"""], Rows(new(DatasetFormat.Sft, AsText: true)));
    }

    [Fact]
    public void A_completion_is_the_top_reply_to_each_prompt() => Assert.Equal(
        ["q1>a2", "q2>b1", "q4>b2"],
        Parsed(new(DatasetFormat.PromptCompletion)).Select(row => $"{Last(row["prompt"])}>{Last(row["completion"])}"));

    [Theory]
    [InlineData("All", "a2>a1 a2>a3 a1>a3")]
    [InlineData("Adjacent", "a2>a1 a1>a3")]
    [InlineData("BestVersusRest", "a2>a1 a2>a3")]
    public void Ranked_siblings_give_the_pairs_of_the_policy(string policy, string pairs) => Assert.Equal(
        pairs.Split(' '),
        Parsed(new(DatasetFormat.Preference, Enum.Parse<PairPolicy>(policy)))
        .Select(row => $"{Last(row["chosen"])}>{Last(row["rejected"])}"));

    [Fact]
    public void Replies_of_the_same_text_make_no_pair()
    {
        var tree = Tree with { Prompt = Said("prompter", "q", null, Said("assistant", "same", 0), Said("assistant", "same", 1)) };
        Assert.Empty(TrainingRows.Of(tree, new(DatasetFormat.Preference)));
    }

    [Fact]
    public void Pairs_have_the_forms_that_trainers_read()
    {
        Assert.Equal("""{"prompt":"q1","chosen":"a2","rejected":"a1"}""", Rows(new(DatasetFormat.Preference, AsText: true))[0]);
        Assert.Equal(
            """{"chosen":[{"role":"user","content":"q1"},{"role":"assistant","content":"a2"}],"rejected":[{"role":"user","content":"q1"},{"role":"assistant","content":"a1"}]}""",
            Rows(new(DatasetFormat.Preference, WithoutPrompt: true))[0]);
        Assert.Equal(
            """{"input":{"messages":[{"role":"user","content":"q1"}],"tools":[],"parallel_tool_calls":true},"preferred_output":[{"role":"assistant","content":"a2"}],"non_preferred_output":[{"role":"assistant","content":"a1"}]}""",
            Rows(new(DatasetFormat.OpenAiPreference))[0]);
    }

    [Fact]
    public void Thumbs_and_else_the_quality_label_say_what_is_good() => Assert.Equal(
        ["a2 false", "a1 true"],
        Parsed(new(DatasetFormat.Kto))
        .Select(row => $"{Last(row["completion"])} {(bool)row["label"]! switch { true => "true", false => "false" }}"));

    [Fact]
    public void A_prompt_alone_is_the_first_one() =>
        Assert.Equal(["""{"prompt":[{"role":"user","content":"q1"}]}"""], Rows(new(DatasetFormat.PromptOnly)));

    [Fact]
    public void A_tree_that_begins_with_an_assistant_gives_nothing() =>
        Assert.Empty(TrainingRows.Of(Tree with { Prompt = Said("assistant", "a", null) }, new(DatasetFormat.PromptOnly)));

    private static OasstMessage Said(string role, string text, int? rank, params OasstMessage[] replies) =>
        new() { MessageId = text, Role = role, Text = text, Rank = rank, Replies = replies };

    private static List<string> Rows(TrainingShape shape) =>
        [.. TrainingRows.Of(Tree, shape).Select(row => JsonSerializer.Serialize(row, DatasetJson.Default.TrainingRow))];

    private static IEnumerable<JsonNode> Parsed(TrainingShape shape) => Rows(shape).Select(row => JsonNode.Parse(row)!);

    private static string Last(JsonNode? turns) => (string)turns!.AsArray()[^1]!["content"]!;
}
