using Microsoft.Extensions.Options;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Runs.Requests;
using Stoa.Gateway.RunTools;

namespace Stoa.Gateway.Runs;

/// <summary>Asks the model, runs the tools that it calls, and asks again with what they said, until it answers.</summary>
internal sealed class AnswerLoop(
    ModelSteps models, ToolLoop loop, DrawnPictures pictures, IOptions<GatewayOptions> options, TimeProvider time)
{
    /// <summary>Null when the run has its answer; else the agent that is to answer in its place.</summary>
    public async Task<AgentTransfer?> RunAsync(Run run, ToolSet tools, IRunSink sink, CancellationToken ct)
    {
        var request = RequestWriting.For(run, tools);
        var draws = DrawnPictures.AreWanted(run);
        // A picture comes whole: so the answer is read whole.
        var told = draws ? new HeldBackSink(sink) : sink;
        await sink.TellAsync(
            new RunStep.Start(run.Choice.Model, run.Choice.Service.Name, run.Plan.AgentId, run.Request.MessageId, run.IsFallback), ct);
        // Agents that came from elsewhere are tuned to a limit that lets one round more pass.
        var rounds = run.Plan.Iterations + (options.Value.StrictIterations ? 0 : 1);
        for (var round = run.Rounds.Count; ; round++)
        {
            var isLast = round >= rounds && tools.Definitions.Count > 0;
            var answer = await models.AskAsync(run,
                request with { Turns = [.. request.Turns, .. run.ToolTurns], ToolChoice = ChoiceOf(request, round, isLast) }, told, ct);
            if (draws)
            {
                await pictures.KeepAsync(run, answer, ct);
            }
            var calls = answer.Parts.OfType<Part.ToolCall>().ToList();
            if (calls.Count == 0 || isLast)
            {
                Keep(run, answer, calls);
                if (draws && run.Content.Length == 0)
                {
                    run.Content = string.Join('\n', run.MadeUrls.Objects().Select(picture => picture.Text("url")));
                }
                if (draws && sink.IsStream && run.Content.Length > 0)
                {
                    run.HasTold = true;
                    await sink.TellAsync(new RunStep.Delta(run.Content), ct);
                }
                return null;
            }
            var started = time.GetTimestamp();
            var records = await loop.CallAsync(calls, tools, run, sink, ct);
            run.Clock.AddTools(records.Select(record => record.Name), time.GetElapsedTime(started).TotalSeconds);
            run.Rounds.Add(records);
            if (records.FirstOrDefault(record => record.Outcome.Transfer is not null)?.Outcome.Transfer is { } transfer)
            {
                Keep(run, answer, calls: []);
                return transfer;
            }
            run.ToolTurns.Add(new(TurnRole.Assistant, answer.Parts));
            run.ToolTurns.Add(new(TurnRole.Tool, [.. records.Select(Part (record) =>
                new Part.ToolResult(record.CallId, [new Part.Text(record.Outcome.Words)], record.Outcome.IsError))]));
        }
    }

    // A choice that forces a call is for the first question only: the model could never answer.
    private static ToolChoice? ChoiceOf(ChatRequest request, int round, bool isLast) =>
        isLast ? new(ToolChoiceMode.None)
        : round > 0 && request.ToolChoice is { Mode: ToolChoiceMode.Required or ToolChoiceMode.One } ? new(ToolChoiceMode.Auto)
        : request.ToolChoice;

    internal static void Keep(Run run, ChatAnswer answer, List<Part.ToolCall> calls)
    {
        run.Content = answer.Text is { Length: > 0 } text ? text
            : string.Concat(answer.Parts.OfType<Part.Refusal>().Select(part => part.Value)) is { Length: > 0 } refusal ? refusal
            : string.Join('\n', calls.Select(call => $"Function call: {call.Name} with arguments: {call.Arguments}"));
        run.Reasoning = string.Concat(answer.Parts.OfType<Part.Thinking>().Select(part => part.Value));
        run.Annotations = Citation.Placed(answer.Parts);
        run.AnswerId = answer.Id;
        run.AnswerModel = answer.Model;
        run.FinishReason = answer.FinishReason;
    }
}
