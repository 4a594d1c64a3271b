using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Providers.Demo;

/// <summary>
/// Answers without any model, so that a fresh installation can be tried: deterministic, offline, and saying plainly that it is a demo.
/// </summary>
internal static class DemoProvider
{
    public const string Model = "demo";

    private const int MaxCalls = 128;
    private const int MaxNumbers = 2_000_000;

    public static ChatAnswer Answer(ChatRequest request)
    {
        var seed = DemoSeed.Of(request);
        var budget = new SampleBudget();
        var tools = ToolsToCall(request).Take(MaxCalls).ToList();
        var choices = Enumerable.Range(0, request.N ?? 1)
            .Select(number => MakeChoice(request, tools, unchecked(seed + number), budget)).ToList();
        return new()
        {
            Id = $"demo-{seed:x8}",
            Model = Model,
            Choices = choices,
            Usage = new(TokenEstimate.Of(request), choices.Sum(choice => TokenEstimate.Of(choice.Parts)), Estimated: true),
        };
    }

    /// <summary>The same answer, word by word and without artificial delay.</summary>
    public static IEnumerable<ChatEvent> Stream(ChatRequest request)
    {
        var answer = Answer(request);
        yield return new ChatEvent.Start(answer.Id, answer.Model);
        for (var number = 0; number < answer.Choices.Count; number++)
        {
            var choice = answer.Choices[number];
            for (var index = 0; index < choice.Parts.Count; index++)
            {
                foreach (var step in Steps(choice.Parts[index], index))
                {
                    yield return step with { Choice = number };
                }
            }
            yield return new ChatEvent.Finish(choice.FinishReason, choice.StopSequence) { Choice = number };
        }
        yield return new ChatEvent.Usage(answer.Usage);
        yield return new ChatEvent.End();
    }

    private static IEnumerable<ChatEvent> Steps(Part part, int index)
    {
        switch (part)
        {
            case Part.Text text:
                foreach (var word in DemoText.Words(text.Value))
                {
                    yield return new ChatEvent.TextDelta(index, word);
                }
                break;
            case Part.ToolCall call:
                yield return new ChatEvent.ToolStart(index, call.Id, call.Name);
                foreach (var word in DemoText.Words(call.Arguments))
                {
                    yield return new ChatEvent.ToolArgs(index, word);
                }
                yield return new ChatEvent.ToolEnd(index);
                break;
        }
    }

    private static Choice MakeChoice(ChatRequest request, List<Tool> tools, int seed, SampleBudget budget)
    {
        var calls = tools.Select(Part (tool, number) => Call(tool, number, unchecked(seed + number), budget)).ToList();
        if (calls.Count > 0)
        {
            return new(calls, FinishReason.ToolCalls);
        }
        return request.Format switch
        {
            { Schema: { } schema } => new([new Part.Text(SchemaSample.Make(schema, seed, budget))], FinishReason.Stop),
            { } => new([new Part.Text(
                """{"demo":true,"message":"This object was made by the offline demo provider; no model was asked."}""")],
                FinishReason.Stop),
            null => DemoText.Bounded(DemoText.For(request, seed), request),
        };
    }

    // A forced tool, else those that the person names. After the results there is nothing left to call.
    private static IEnumerable<Tool> ToolsToCall(ChatRequest request)
    {
        var choice = request.ToolChoice;
        var tools = request.Tools
            .Where(tool => tool.Native is null && (choice?.Allowed?.Contains(tool.Name) ?? true))
            .ToList();
        if (request.Turns is not [.., { Role: TurnRole.User } last] || tools.Count == 0 || choice?.Mode == ToolChoiceMode.None)
        {
            return [];
        }
        if (choice is { Mode: ToolChoiceMode.One, Name: { } name })
        {
            return tools.Where(tool => tool.Name == name);
        }
        var text = string.Concat(last.Parts.OfType<Part.Text>().Select(part => part.Value));
        var named = tools.Where(tool => DemoText.Names(text, tool.Name)).ToList();
        if (named.Count == 0 && choice?.Mode == ToolChoiceMode.Required)
        {
            named = [tools[0]];
        }
        return request.Parallel == false ? named.Take(1) : named;
    }

    private static Part.ToolCall Call(Tool tool, int number, int seed, SampleBudget budget)
    {
        var arguments = tool.Schema is { } schema ? SchemaSample.Make(schema, seed, budget) : "{}";
        return new Part.ToolCall(ToolNames.MakeId(seed, number, tool.Name, arguments), tool.Name, arguments);
    }

    /// <exception cref="Failure">More numbers are asked for than a demo should make.</exception>
    public static EmbeddingAnswer Embed(EmbeddingRequest request)
    {
        var dimensions = request.Dimensions ?? DemoEmbedding.DefaultDimensions;
        return (long)request.Inputs.Count * dimensions <= MaxNumbers
            ? new(
                Model, [.. request.Inputs.Select(input => DemoEmbedding.Of(input, dimensions))],
                new(TokenEstimate.Of(request), 0, Estimated: true))
            : throw Failure.Invalid(
                $"The demo provider makes at most {MaxNumbers} numbers at a time: send fewer inputs", "dimensions", "invalid_value");
    }
}
