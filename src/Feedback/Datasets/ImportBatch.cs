using Stoa.Feedback.Trees;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Datasets;

/// <summary>A message that is in the store.</summary>
internal sealed record KnownMessage(Guid TreeId, int Depth);

internal sealed record ImportedMessage(
    Guid Id, Guid? ParentId, Guid TreeId, int Depth, string Lang, DateTimeOffset CreatedDate, OasstMessage Message);

internal sealed record ImportedTree(Guid Id, TreeState State, bool Active, string Origin, string Lang);

/// <summary>Sorts the lines of one transaction: what is new, what is known, and what has no parent.</summary>
internal sealed class ImportBatch(TreeImportTerms terms, Dictionary<Guid, KnownMessage> known, TreeImportCounts counts, DateTimeOffset now)
{
    private static readonly Dictionary<string, TreeState> States = Enum.GetValues<TreeState>()
        .ToDictionary(EnumNames<TreeState>.Write, StringComparer.Ordinal);

    public TreeImportTerms Terms => terms;

    public List<ImportedMessage> Messages { get; } = [];

    public List<ImportedTree> Trees { get; } = [];

    public TreeImportCounts Counts { get; private set; } = counts;

    public IReadOnlyList<Guid> ActiveTrees => [.. Trees.Where(tree => tree.Active).Select(tree => tree.Id)];

    public void Add(OasstLine line)
    {
        if (line.Tree is { } tree)
        {
            AddTree(tree);
        }
        else
        {
            AddMessage(line.Message!);
        }
    }

    /// <summary>A tree comes in whole, so a known root is a known tree.</summary>
    private void AddTree(OasstTree tree)
    {
        var id = Guid.Parse(tree.MessageTreeId);
        if (known.ContainsKey(id))
        {
            Counts = Counts with { Known = Counts.Known + 1 };
            return;
        }
        Begin(id, tree.Prompt, tree.TreeState, tree.Origin);
        var waiting = new Stack<(OasstMessage Message, Guid? Parent)>([(tree.Prompt, null)]);
        while (waiting.TryPop(out var next))
        {
            var messageId = Guid.Parse(next.Message.MessageId);
            Put(messageId, next.Parent, id, next.Message);
            foreach (var reply in next.Message.Replies ?? [])
            {
                waiting.Push((reply, messageId));
            }
        }
    }

    private void AddMessage(OasstMessage message)
    {
        var id = Guid.Parse(message.MessageId);
        if (known.ContainsKey(id))
        {
            Counts = Counts with { Known = Counts.Known + 1 };
        }
        else if (message.ParentId is null)
        {
            Begin(id, message, message.TreeState, origin: null);
            Put(id, null, id, message);
        }
        else if (known.TryGetValue(Guid.Parse(message.ParentId), out var parent))
        {
            Put(id, Guid.Parse(message.ParentId), parent.TreeId, message);
        }
        else
        {
            Counts = Counts with { Orphans = Counts.Orphans + 1 };
        }
    }

    private void Begin(Guid id, OasstMessage root, string? state, string? origin)
    {
        var stands = terms.KeepStates && States.TryGetValue(state ?? "", out var told) ? told
            : Counts.Trees < terms.Activate ? TreeState.Ranking
            : TreeState.BacklogRanking;
        Trees.Add(new(id, stands, IsActive(stands), origin ?? terms.Origin, root.Lang ?? "en"));
        Counts = Counts with { Trees = Counts.Trees + 1 };
    }

    private void Put(Guid id, Guid? parent, Guid tree, OasstMessage message)
    {
        var depth = parent is { } above ? known[above].Depth + 1 : 0;
        if (!known.TryAdd(id, new(tree, depth)))
        {
            throw new InvalidDataException($"Message {id} is in the file twice");
        }
        Messages.Add(new(id, parent, tree, depth, message.Lang ?? "en", message.CreatedDate ?? now, message));
        Counts = Counts with { Messages = Counts.Messages + 1 };
    }

    private static bool IsActive(TreeState state) =>
        state is TreeState.InitialPromptReview or TreeState.Growing or TreeState.Ranking or TreeState.ReadyForScoring;
}
