using System.Text.Json;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>How much a model of this dialect shall think, which its vendors say in six ways.</summary>
internal static class OpenAiReasoningWish
{
    public static void Write(Utf8JsonWriter json, ChatRequest request, DialectTarget target)
    {
        if (request.Reasoning is not { NearestEffort: { } effort } reasoning)
        {
            return;
        }
        if (target.Traits.KnowsItsModels && !OpenAiModels.Reasons(target.Model))
        {
            request.Warn("reasoning dropped: the model does not reason");
            return;
        }
        switch (target.Traits.Reasoning)
        {
            case ReasoningForm.Effort:
                json.WriteString("reasoning_effort", WordOf(effort));
                break;
            case ReasoningForm.Parsed:
                json.WriteString("reasoning_effort", NoneToHigh(effort));
                json.WriteString("reasoning_format", "parsed");
                break;
            case ReasoningForm.Nested:
                WriteNested(json, reasoning, effort);
                break;
            case ReasoningForm.Mistral when !target.Model.StartsWith("magistral", StringComparison.OrdinalIgnoreCase):
                json.WriteString("reasoning_effort", NoneToHigh(effort));
                break;
            case ReasoningForm.Mistral when effort != Effort.None:
                json.WriteString("prompt_mode", "reasoning");
                break;
            case ReasoningForm.Mistral:
                request.Warn("reasoning effort dropped: the model always reasons");
                break;
            case ReasoningForm.LowOrHigh when effort == Effort.None || AlwaysThinks(target.Model):
                request.Warn("reasoning effort dropped: the model takes none");
                break;
            case ReasoningForm.LowOrHigh:
                json.WriteString("reasoning_effort", effort >= Effort.High ? "high" : "low");
                break;
            case ReasoningForm.Switch:
                json.WriteStartObject("thinking");
                json.WriteString("type", effort == Effort.None ? "disabled" : "enabled");
                json.WriteEndObject();
                break;
        }
    }

    // xAI refuses the field for them.
    private static bool AlwaysThinks(string model) =>
        model is "grok-4" || model.StartsWith("grok-4-", StringComparison.Ordinal)
            || model.StartsWith("grok-code", StringComparison.Ordinal);

    private static void WriteNested(Utf8JsonWriter json, Reasoning reasoning, Effort effort)
    {
        json.WriteStartObject("reasoning");
        if (effort == Effort.None)
        {
            json.WriteBoolean("enabled", false);
        }
        else if (reasoning is { Effort: null, Budget: { } budget })
        {
            json.WriteNumber("max_tokens", budget);
        }
        else
        {
            json.WriteString("effort", WordOf(effort));
        }
        json.WriteEndObject();
    }

    public static string WordOf(Effort effort) => effort switch
    {
        Effort.None => "none",
        Effort.Minimal => "minimal",
        Effort.Low => "low",
        Effort.Medium => "medium",
        Effort.High => "high",
        Effort.ExtraHigh or Effort.Max => "xhigh",
    };

    private static string NoneToHigh(Effort effort) => effort switch
    {
        Effort.None => "none",
        Effort.Minimal or Effort.Low => "low",
        Effort.Medium => "medium",
        Effort.High or Effort.ExtraHigh or Effort.Max => "high",
    };
}
