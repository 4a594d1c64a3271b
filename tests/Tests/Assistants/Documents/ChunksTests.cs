using System.Text;
using Stoa.Assistants.Documents.Chunking;
using Stoa.Assistants.Documents.Tokens;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Documents;

public sealed class ChunksTests
{
    [Fact]
    public async Task Every_character_that_is_not_blank_is_in_exactly_one_chunk_of_at_most_200_tokens()
    {
        List<string> texts = [.. TokensTests.Random(300), new('x', 50_000),
            string.Concat(Enumerable.Repeat("👩‍👩‍👧‍👦", 2_000)), new string(' ', 30_000) + "end"];
        if (Repository.Shared("spec/gateway.md") is { } path)
        {
            texts.Add(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        }
        var encoder = new TokenEncoder();

        Assert.All(texts, text =>
        {
            var chunks = TextChunks.Of(text);
            Assert.Equal(NotBlank(text), NotBlank(string.Concat(chunks)));
            Assert.All(chunks, chunk => Assert.InRange(encoder.Count(chunk), 1, 200));
            Assert.All(chunks, chunk => Assert.Equal(chunk.Trim(), chunk));
            Assert.DoesNotContain(chunks, chunk => chunk.Contains('\n', StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Chunks_end_behind_a_sentence_that_is_not_too_early()
    {
        var sentence = "This sentence has some fourteen words so that it is neither short nor long indeed. ";
        var chunks = TextChunks.Of(string.Concat(Enumerable.Repeat(sentence, 40)));

        Assert.True(chunks.Count > 2);
        Assert.All(chunks, chunk => Assert.EndsWith("indeed.", chunk, StringComparison.Ordinal));
        Assert.All(chunks.SkipLast(1), chunk => Assert.True(chunk.Length > 350));
    }

    [Fact]
    public void A_blank_text_has_no_chunks_and_a_short_one_has_one()
    {
        Assert.Empty(TextChunks.Of(""));
        Assert.Empty(TextChunks.Of(" \n\t \u00a0 \n"));
        Assert.Equal(["Tiny."], TextChunks.Of("  Tiny.\n"));
    }

    [Fact]
    public void A_few_words_at_the_end_join_the_chunk_before_them()
    {
        var lines = string.Concat(Enumerable.Repeat("Each of these lines ends with a stop and is of use to nobody at all.\n", 8));
        var chunks = TextChunks.Of($"{lines}The end");

        Assert.EndsWith(" The end", chunks[^1], StringComparison.Ordinal);
        Assert.True(chunks[^1].Length > 300);
    }

    private static string NotBlank(string text)
    {
        var left = new StringBuilder(text.Length);
        foreach (var letter in text.Where(letter => !char.IsWhiteSpace(letter)))
        {
            left.Append(letter);
        }
        return left.ToString();
    }
}
