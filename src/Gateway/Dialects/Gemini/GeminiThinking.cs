using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary>The <c>thinkingConfig</c>: a budget in tokens up to 2.5, a level from 3 on.</summary>
internal sealed class GeminiThinking(ChatRequest request, GeminiModel model)
{
    private const int LeastOfPro = 128;
    private const int MostOfFlash = 24_576;

    public void Write(Utf8JsonWriter json)
    {
        if (request.Reasoning is not { } reasoning)
        {
            return;
        }
        if (!model.Thinks)
        {
            if (reasoning.Effort != Effort.None)
            {
                request.Warn("reasoning dropped: the model does not reason");
            }
            return;
        }
        json.WriteStartObject("thinkingConfig");
        json.WriteBoolean("includeThoughts", reasoning.Effort != Effort.None && reasoning.Display != "omitted");
        if (model.HasLevels)
        {
            json.WriteIfAny("thinkingLevel", LevelOf(reasoning));
        }
        else
        {
            json.WriteIfAny("thinkingBudget", BudgetOf(reasoning));
        }
        json.WriteEndObject();
    }

    // The larger models refuse the lowest level.
    private string? LevelOf(Reasoning reasoning) => reasoning.NearestEffort switch
    {
        Effort.None or Effort.Minimal => model.IsPro ? "low" : "minimal",
        Effort.Low => "low",
        Effort.Medium => "medium",
        Effort.High or Effort.ExtraHigh or Effort.Max => "high",
        null => null,
    };

    private int? BudgetOf(Reasoning reasoning)
    {
        var wanted = reasoning.Effort == Effort.None ? 0 : reasoning.Budget ?? reasoning.Effort switch
        {
            Effort.None => 0,
            Effort.Minimal or Effort.Low => 1024,
            Effort.Medium => 8192,
            Effort.High => 24_576,
            Effort.ExtraHigh or Effort.Max => 32_768,
            null => default(int?),
        };
        return wanted is not { } budget ? null : model.IsPro ? Math.Clamp(budget, LeastOfPro, 32_768) : Math.Min(budget, MostOfFlash);
    }
}
