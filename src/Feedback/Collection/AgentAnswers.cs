using Stoa.Gateway;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Collection;

/// <summary>Puts what agents have answered into trees that name it by its messages.</summary>
internal sealed class AgentAnswers(IServedAnswers served)
{
    private const int LongestId = 256;

    /// <summary>Trees that name no message are as they were.</summary>
    /// <exception cref="Failure">Invalid: a message is not the organization's or was not answered, or candidates of one tree answer
    /// different questions.</exception>
    public async Task<NewTrees> FillAsync(Guid organizationId, NewTrees body, CancellationToken ct)
    {
        var wanted = Named(body).ToHashSet(StringComparer.Ordinal);
        // More than there may be is refused when the trees are checked.
        if (wanted.Count is 0 or > NewTrees.MostTrees * NewTrees.MostCandidates)
        {
            return body;
        }
        var answers = (await served.FindAsync(organizationId, [.. wanted.Where(IsId)], ct))
            .ToDictionary(answer => answer.MessageId, StringComparer.Ordinal);
        Failure.ThrowIfAny(wanted.Where(id => !answers.ContainsKey(id)).Take(1)
            .Select(_ => new FieldError("trees", "a message_id is of no answer")));
        return new([.. body.Trees!.Index().Select(tree => Fill(tree.Item, answers, $"trees[{tree.Index}]"))]);
    }

    private static IEnumerable<string> Named(NewTrees body) => (body.Trees ?? [])
        .SelectMany(tree => tree?.Candidates ?? []).Select(candidate => candidate?.MessageId).OfType<string>();

    private static bool IsId(string id) => id is { Length: > 0 and <= LongestId } && !id.Contains('\0', StringComparison.Ordinal);

    private static NewTree Fill(NewTree tree, Dictionary<string, ServedAnswer> answers, string place)
    {
        if (tree?.Candidates is not { } candidates || !candidates.Any(candidate => candidate?.MessageId is not null))
        {
            return tree!;
        }
        var own = candidates.Select(candidate => candidate?.MessageId).OfType<string>().Select(id => answers[id]).ToList();
        if (tree.Conversation is null && own.Exists(answer => answer.Question != own[0].Question))
        {
            Failure.ThrowIfAny([new($"{place}.candidates",
                "the candidates answer different questions; give the conversation if they are to be compared all the same")]);
        }
        return tree with
        {
            Conversation = tree.Conversation ??
            [
                .. own[0].Earlier.SelectMany(said => (ServedTurn[])[new("user", said.Question), new("assistant", said.Answer)]),
                new("user", own[0].Question),
            ],
            Candidates =
                [.. candidates.Select(candidate => candidate?.MessageId is { } id ? Of(answers[id], candidate.Source) : candidate!)],
        };
    }

    private static Candidate Of(ServedAnswer answer, ReplySource? source) => new(
        answer.Answer, source ?? new(answer.Agent ?? answer.Model, answer.AgentVersion, answer.Model, answer.Provider, answer.MessageId));
}
