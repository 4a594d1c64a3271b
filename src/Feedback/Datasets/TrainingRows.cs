using System.Text.Json;

namespace Stoa.Feedback.Datasets;

/// <summary>
/// The rows that a tree gives in a training format: pure, in the order of the tree, so that the same tree gives the same bytes. A tree
/// holds what may go out and nothing else; who reads it from the store has left the rest out.
/// </summary>
internal static class TrainingRows
{
    /// <summary>None where an assistant begins: a conversation begins with a person in all formats.</summary>
    public static IEnumerable<TrainingRow> Of(OasstTree tree, TrainingShape shape) => tree.Prompt.IsAssistant ? [] : Rows(tree, shape);

    private static IEnumerable<TrainingRow> Rows(OasstTree tree, TrainingShape shape) => shape.Format switch
    {
        DatasetFormat.Sft or DatasetFormat.OpenAi => Threads(tree).Select(thread => shape is { Format: DatasetFormat.Sft, AsText: true }
            ? new TrainingRow { Text = Text(thread) }
            : new TrainingRow { Messages = Turns(thread) }),
        DatasetFormat.ShareGpt => Threads(tree).Select(thread => new TrainingRow
        {
            Conversations = [.. thread.Select(message => new ShareGptTurn(message.IsAssistant ? "gpt" : "human", message.Text))],
        }),
        DatasetFormat.PromptCompletion =>
            from prompt in Prompts(tree)
            where prompt.Replies is [_, ..]
            select new TrainingRow { Prompt = Json(prompt.Path, shape), Completion = Json([prompt.Replies[0]], shape) },
        DatasetFormat.PromptOnly => [new() { Prompt = Json([tree.Prompt], shape) }],
        DatasetFormat.Kto =>
            from prompt in Prompts(tree)
            from reply in prompt.Replies
            let isGood = IsGood(reply, shape.QualityAtLeast)
            where isGood is not null
            select new TrainingRow { Prompt = Json(prompt.Path, shape), Completion = Json([reply], shape), Label = isGood },
        DatasetFormat.Preference =>
            from pair in Pairs(tree, shape.Pairs)
            select shape.WithoutPrompt
                ? new TrainingRow { Chosen = Json([.. pair.Path, pair.Chosen], shape),
                    Rejected = Json([.. pair.Path, pair.Rejected], shape) }
                : new TrainingRow
                {
                    Prompt = Json(pair.Path, shape), Chosen = Json([pair.Chosen], shape), Rejected = Json([pair.Rejected], shape),
                },
        DatasetFormat.OpenAiPreference =>
            from pair in Pairs(tree, shape.Pairs)
            select new TrainingRow
            {
                Input = new(Turns(pair.Path)), PreferredOutput = Turns([pair.Chosen]), NonPreferredOutput = Turns([pair.Rejected]),
            },
        DatasetFormat.Tree or DatasetFormat.Flat or DatasetFormat.Csv =>
            throw new ArgumentException($"{shape.Format} has no rows of its own"),
    };

    /// <summary>Each conversation that goes on with the best reply wherever an assistant speaks, and ends with one.</summary>
    private static List<List<OasstMessage>> Threads(OasstTree tree)
    {
        List<List<OasstMessage>> threads = [];
        Follow([tree.Prompt]);
        return threads;

        bool Follow(List<OasstMessage> path)
        {
            if (Answers(path[^1]) is not [var best, ..])
            {
                return false;
            }
            List<OasstMessage> answered = [.. path, best];
            var goesOn = false;
            foreach (var next in Ordered(best).Where(reply => !reply.IsAssistant))
            {
                goesOn |= Follow([.. answered, next]);
            }
            if (!goesOn)
            {
                threads.Add(answered);
            }
            return true;
        }
    }

    /// <summary>Everything a prompter said, with the way to it and the answers, best first.</summary>
    private static IEnumerable<(IReadOnlyList<OasstMessage> Path, List<OasstMessage> Replies)> Prompts(OasstTree tree)
    {
        var waiting = new Stack<List<OasstMessage>>([[tree.Prompt]]);
        while (waiting.TryPop(out var path))
        {
            var last = path[^1];
            if (!last.IsAssistant)
            {
                yield return (path, Answers(last));
            }
            foreach (var reply in Ordered(last).AsEnumerable().Reverse().Where(reply => reply.IsAssistant != last.IsAssistant))
            {
                waiting.Push([.. path, reply]);
            }
        }
    }

    private static IEnumerable<(IReadOnlyList<OasstMessage> Path, OasstMessage Chosen, OasstMessage Rejected)> Pairs(
        OasstTree tree, PairPolicy policy) =>
        from prompt in Prompts(tree)
        let ranked = prompt.Replies.FindAll(reply => reply.Rank is not null)
        from better in Enumerable.Range(0, ranked.Count)
        from worse in Enumerable.Range(0, ranked.Count)
        where better < worse && policy switch
        {
            PairPolicy.All => true,
            PairPolicy.Adjacent => worse == better + 1,
            PairPolicy.BestVersusRest => better == 0,
        }
        // The same text twice teaches nothing, and a trainer refuses it.
        where ranked[better].Text != ranked[worse].Text
        select (prompt.Path, ranked[better], ranked[worse]);

    /// <summary>Thumbs decide; where they are absent or even, the quality label; null when nobody said anything.</summary>
    private static bool? IsGood(OasstMessage reply, double qualityAtLeast)
    {
        var (up, down) = (reply.Emojis?.GetValueOrDefault("+1") ?? 0, reply.Emojis?.GetValueOrDefault("-1") ?? 0);
        return up != down ? up > down
            : reply.Labels?.GetValueOrDefault("quality") is { Count: > 0 } quality ? quality.Value >= qualityAtLeast
            : null;
    }

    private static List<OasstMessage> Answers(OasstMessage prompt) => Ordered(prompt).FindAll(reply => reply.IsAssistant);

    /// <summary>Best first, those without a rank last, then as they came.</summary>
    private static List<OasstMessage> Ordered(OasstMessage message) => [.. (message.Replies ?? [])
        .OrderBy(reply => reply.Rank ?? int.MaxValue).ThenBy(reply => reply.CreatedDate)
        .ThenBy(reply => reply.MessageId, StringComparer.Ordinal)];

    private static List<ChatTurn> Turns(IEnumerable<OasstMessage> messages) =>
        [.. messages.Select(message => new ChatTurn(message.IsAssistant ? "assistant" : "user", message.Text))];

    /// <summary>Turns with an empty line between them, named when there are several.</summary>
    private static string Text(IReadOnlyList<OasstMessage> messages) => messages is [var only]
        ? only.Text
        : string.Join("\n\n", messages.Select(message => $"{(message.IsAssistant ? "Assistant" : "User")}: {message.Text}"));

    private static JsonElement Json(IReadOnlyList<OasstMessage> messages, TrainingShape shape) => shape.AsText
        ? JsonSerializer.SerializeToElement(Text(messages), DatasetJson.Default.String)
        : JsonSerializer.SerializeToElement(Turns(messages), DatasetJson.Default.ListChatTurn);
}
