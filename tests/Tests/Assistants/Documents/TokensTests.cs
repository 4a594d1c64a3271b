using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Stoa.Assistants.Documents.Tokens;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Documents;

public sealed class TokensTests
{
    private const string Script = """
        import { readFileSync } from 'node:fs';
        import { pathToFileURL } from 'node:url';
        const { Tiktoken } = await import(pathToFileURL(process.argv[1] + '/dist/lite.js'));
        const ranks = (await import(pathToFileURL(process.argv[1] + '/dist/ranks/cl100k_base.js'))).default;
        const encoder = new Tiktoken(ranks);
        process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(text => encoder.encode(text, [], []))));
        """;

    private static readonly string[] Samples =
    [
        "", " ", "hello world", "Don't they'LL I'm we've  'S 'sun",
        "1234567 12 3.14159", "a\n\n b \r\n\r\n\tc   ", "   leading and trailing   ",
        "<|endoftext|> is plain text <|fim_prefix|>",
        "naïve façade Ελληνικά русский עברית العربية हिन्दी ไทย 日本語 中文 한국어", "👩‍👩‍👧‍👦🏳️‍🌈😀\u200d", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠮷野家 𒀀𒁀",
        "e\u0301 \u00a0\u2003\u3000x \ufeffy \u0085z", "if (a[i] != b->c) { return x*y; } // done\n\t\tfoo(\"bar\");",
        "----====____****!!!!????....", "½ Ⅷ ² ٣٤٥٦ १२३४",
        "ﷺ İstanbul ǅ ʰ ⅷ \u2028line\u2029para", "-abc x-abc --abc \"quoted\" (paren) $var @name #tag",
        new('a', 500), new string(' ', 300) + "x", string.Concat(Enumerable.Repeat("ab1 ", 300)),
    ];

    [Fact]
    public async Task Texts_are_encoded_as_by_the_reference_encoder()
    {
        var package = Path.Combine(Repository.Root, "artifacts", "obj", "token-ranks", "node_modules", "js-tiktoken");
        Assert.SkipUnless(Directory.Exists(package) && Path.Exists("/usr/bin/node"), "There is no Node.js here");
        List<string> texts = [.. Samples, .. Random(40)];
        foreach (var file in (string[])["product.md", "spec/assistants.md", "style.md"])
        {
            if (Repository.Shared(file) is { } path)
            {
                texts.Add(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
            }
        }

        var expected = await ReferenceAsync(package, texts);

        var encoder = new TokenEncoder();
        Assert.All(texts.Zip(expected), pair =>
        {
            Assert.Equal(pair.Second, encoder.Encode(pair.First));
            Assert.Equal(pair.Second.Length, encoder.Count(pair.First));
        });
    }

    [Fact]
    public void The_length_of_the_first_tokens_ends_between_characters()
    {
        var encoder = new TokenEncoder();
        foreach (var text in Samples.Concat(Random(20)).Where(text => text.Length is > 0 and < 1_000))
        {
            var (all, last) = (encoder.Count(text), 0);
            for (var tokens = 0; tokens <= all; tokens++)
            {
                var length = encoder.LengthOf(text, tokens);
                Assert.InRange(length, last, text.Length);
                Assert.False(length < text.Length && char.IsLowSurrogate(text[length]));
                last = length;
            }
            Assert.Equal(text.Length, last);
        }
    }

    internal static IEnumerable<string> Random(int count)
    {
        var random = new Random(7);
        (int From, int To)[] ranges = [(0x20, 0x7e), (0x20, 0x7e), (0xa0, 0x24f), (0x370, 0x5ff),
            (0x900, 0xdff), (0x2000, 0x2bff), (0x4e00, 0x9fff), (0x1f300, 0x1faff), (0x20000, 0x2a6df)];
        for (var number = 0; number < count; number++)
        {
            var text = new StringBuilder();
            for (var length = random.Next(1, 400); length > 0; length--)
            {
                var (from, to) = ranges[random.Next(ranges.Length)];
                text.Append(random.Next(
                    6) switch { 0 => " ", 1 => random.Next(4) == 0 ? "\n" : ". ", _ => new Rune(random.Next(from, to)).ToString() });
            }
            yield return text.ToString();
        }
    }

    private static async Task<int[][]> ReferenceAsync(string package, List<string> texts)
    {
        var ct = TestContext.Current.CancellationToken;
        using var node = Process.Start(new ProcessStartInfo("/usr/bin/node", ["--input-type=module", "-e", Script, package])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true,
            UseShellExecute = false, StandardInputEncoding = new UTF8Encoding(false),
        })!;
        var output = node.StandardOutput.ReadToEndAsync(ct);
        await node.StandardInput.WriteAsync(JsonSerializer.Serialize(texts).AsMemory(), ct);
        node.StandardInput.Close();
        var answer = await output;
        await node.WaitForExitAsync(ct);
        Assert.Equal(0, node.ExitCode);
        return JsonSerializer.Deserialize<int[][]>(answer)!;
    }
}
