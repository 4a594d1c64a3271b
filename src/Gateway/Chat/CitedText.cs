using System.Text;

namespace Stoa.Gateway.Chat;

/// <summary>
/// The text of an answer that is streamed, and what is cited for it: some passages are known only when all of it is there.
/// </summary>
internal sealed class CitedText
{
    private readonly List<Block> blocks = [];

    public bool HasCitations { get; private set; }

    public void Append(int index, string text) => Of(index).Text.Append(text);

    public void Add(int index, Citation citation)
    {
        HasCitations = true;
        Of(index).Citations.Add(citation);
    }

    public IReadOnlyList<Part> ToParts() =>
        [.. blocks.Select(block => new Part.Text(block.Text.ToString()) { Citations = block.Citations })];

    // Nearly always the one before.
    private Block Of(int index) => blocks is [.., var last] && last.Index == index ? last : Find(index);

    private Block Find(int index)
    {
        var block = blocks.Find(block => block.Index == index);
        if (block is null)
        {
            blocks.Add(block = new(index));
        }
        return block;
    }

    private sealed class Block(int index)
    {
        public int Index => index;

        public StringBuilder Text { get; } = new();

        public List<Citation> Citations { get; } = [];
    }
}
