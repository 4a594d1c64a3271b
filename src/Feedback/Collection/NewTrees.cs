using Stoa.Platform.Http;

namespace Stoa.Feedback.Collection;

/// <summary>Conversations that were served, each with several replies to its last turn.</summary>
internal sealed record NewTrees(IReadOnlyList<NewTree>? Trees)
{
    public const int MostTrees = 100, MostCandidates = 20;

    public IEnumerable<FieldError> Check() =>
        Trees is not { Count: >= 1 and <= MostTrees } || Trees.Any(tree => tree is null)
            ? [new("trees", $"trees must have 1 to {MostTrees} entries")]
            : Trees.Select(tree => tree.Id).OfType<Guid>().GroupBy(id => id).Any(same => same.Count() > 1)
                ? [new("trees", "an id is there twice")]
                : Trees.SelectMany((tree, index) => tree.Check($"trees[{index}]"));
}

/// <param name="Id">Sent again with the same id, the tree is made once. Absent: a new one each time.</param>
/// <param name="Lang">BCP 47; English unless given.</param>
/// <param name="Conversation">Begins and ends with what a person said. Absent: that of the candidates that agents have answered.</param>
internal sealed record NewTree(
    Guid? Id, string? Lang, string? Origin, IReadOnlyList<ServedTurn>? Conversation, IReadOnlyList<Candidate>? Candidates)
{
    private const int MostTurns = 100, MostText = 100_000, LongestWord = 256, LongestLang = 32;

    public IEnumerable<FieldError> Check(string place)
    {
        if (Id == Guid.Empty)
        {
            yield return new($"{place}.id", "id must not be empty");
        }
        if (!IsWord(Lang, LongestLang) || !IsWord(Origin, LongestWord))
        {
            yield return new(place, $"lang has at most {LongestLang} characters, origin {LongestWord}");
        }
        if (Conversation is not { Count: >= 1 and <= MostTurns } turns || turns.Count % 2 == 0
            || turns.Index().Any(turn => turn.Item?.Role != (turn.Index % 2 == 0 ? "user" : "assistant")))
        {
            yield return new($"{place}.conversation",
                $"conversation must have at most {MostTurns} turns of user and assistant by turns, and end with user");
        }
        else if (!turns.All(turn => IsText(turn.Text)))
        {
            yield return new($"{place}.conversation", $"each turn must have a text of at most {MostText} characters");
        }
        if (Candidates is not { Count: >= 2 and <= NewTrees.MostCandidates } candidates)
        {
            yield return new($"{place}.candidates", $"candidates must have 2 to {NewTrees.MostCandidates} entries");
        }
        else if (!candidates.All(candidate => candidate is not null
            && IsReply(candidate.Text) && candidate.Source is { } source && IsNamed(source)))
        {
            yield return new($"{place}.candidates",
                $"each candidate must have a text and a source with a name; words have at most {LongestWord} characters");
        }
    }

    private static bool IsNamed(ReplySource source) => !string.IsNullOrWhiteSpace(source.Name) && IsWord(source.Name, LongestWord)
        && IsWord(source.AgentVersion, LongestWord) && IsWord(source.Model, LongestWord) && IsWord(source.Provider, LongestWord)
        && IsWord(source.CallId, LongestWord);

    private static bool IsText(string? text) => !string.IsNullOrWhiteSpace(text) && IsReply(text);

    // A model that said nothing is ranked like the others.
    private static bool IsReply(string? text) => text is { Length: <= MostText } && !text.Contains('\0', StringComparison.Ordinal);

    private static bool IsWord(string? text, int most) =>
        text is null || (text.Length <= most && !text.Contains('\0', StringComparison.Ordinal));
}

/// <param name="Role"><c>user</c> or <c>assistant</c>.</param>
internal sealed record ServedTurn(string? Role, string? Text);

/// <param name="MessageId">Instead of a text: what the message of this id was answered with by an agent.</param>
/// <param name="Source">Of what an agent has answered it need not be given.</param>
internal sealed record Candidate(string? Text, ReplySource? Source, string? MessageId = null);

/// <summary>What made a reply.</summary>
/// <param name="Name">By which preferences are told apart: an agent, a route, an experiment.</param>
internal sealed record ReplySource(string? Name, string? AgentVersion, string? Model, string? Provider, string? CallId);

/// <param name="IsNew">False when a tree with this id was there.</param>
/// <param name="CandidateIds">The messages of the candidates, in their order; empty when the tree was there.</param>
internal sealed record MadeTree(Guid Id, bool IsNew, IReadOnlyList<Guid> CandidateIds);

internal sealed record MadeTrees(IReadOnlyList<MadeTree> Trees);
