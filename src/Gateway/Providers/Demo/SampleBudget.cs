using System.Text.Json.Nodes;

namespace Stoa.Gateway.Providers.Demo;

/// <summary>
/// What answering one request may cost. Schemas come from strangers, and a short one can ask for gigabytes or for hours; what no longer
/// fits is left out of the sample.
/// </summary>
internal sealed class SampleBudget
{
    private int work = 400_000;
    private int letters = 2_000_000;

    public bool IsSpent => work <= 0;

    /// <summary>Pays for so many steps; false when they are too many.</summary>
    public bool Spend(long steps)
    {
        work = (int)Math.Max(0, work - steps);
        return work > 0;
    }

    /// <summary>Pays for handling this value with all that is in it.</summary>
    public bool Spend(JsonNode? node)
    {
        var isEnough = Spend(1);
        switch (node)
        {
            case JsonObject holder:
                foreach (var (_, member) in holder)
                {
                    isEnough = isEnough && Spend(member);
                }
                break;
            case JsonArray list:
                foreach (var item in list)
                {
                    isEnough = isEnough && Spend(item);
                }
                break;
        }
        return isEnough;
    }

    /// <summary>Of so many letters, those that are left.</summary>
    public int TakeLetters(int wanted)
    {
        var taken = Math.Clamp(wanted, 0, letters);
        letters -= taken;
        return taken;
    }
}
