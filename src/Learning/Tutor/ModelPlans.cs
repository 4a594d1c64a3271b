using Microsoft.Extensions.Options;
using Stoa.Gateway;
using Stoa.Platform.Http;

namespace Stoa.Learning.Tutor;

internal enum ModelPlan
{
    Router,
    Text,
    TextMini,
    Reasoning,
    Audio,
}

/// <summary>Which model does what, for an organization.</summary>
internal sealed class ModelPlans(IModels models, IOptions<LearningModelOptions> options)
{
    /// <exception cref="Failure">Unavailable: no model is set up.</exception>
    public string Find(ModelPlan plan, Guid organizationId) => models.Pick(organizationId, NameOf(plan))
        ?? throw Failure.Unavailable("No model is set up", TimeSpan.FromMinutes(1));

    private string NameOf(ModelPlan plan) => plan switch
    {
        ModelPlan.Router => options.Value.Router,
        ModelPlan.Text => options.Value.Text,
        ModelPlan.TextMini => options.Value.TextMini,
        ModelPlan.Reasoning => options.Value.Reasoning,
        ModelPlan.Audio => options.Value.Audio,
    };
}
