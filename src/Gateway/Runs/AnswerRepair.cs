using Stoa.Gateway.Chat;
using Stoa.Gateway.Runs.Requests;
using Stoa.Gateway.RunTools;

namespace Stoa.Gateway.Runs;

/// <summary>Holds an answer to its schema: one that does not match is asked for once more, with what is wrong with it.</summary>
internal sealed class AnswerRepair(ModelSteps models)
{
    public async Task RunAsync(Run run, bool mayAsk, CancellationToken ct)
    {
        if (RequestWriting.FormatOf(run) is not { Schema: not null } format || ResponseType.Fault(format, run.Content) is not { } fault)
        {
            return;
        }
        if (mayAsk)
        {
            var request = RequestWriting.For(run, ToolSet.Empty);
            var answer = await models.AskAsync(
                run,
                request with
                {
                    Turns =
                    [
                        .. request.Turns, new(TurnRole.Assistant, [new Part.Text(run.Content)]),
                        new(TurnRole.User, [new Part.Text($"{fault}. Answer again, with JSON that matches the schema and nothing else.")]),
                    ],
                },
                NoSink.Instance, ct);
            (run.Content, run.Annotations) = (answer.Text, Citation.Placed(answer.Parts));
            fault = ResponseType.Fault(format, run.Content);
        }
        if (fault is not null)
        {
            run.SchemaErrors.Add(fault);
        }
    }
}
