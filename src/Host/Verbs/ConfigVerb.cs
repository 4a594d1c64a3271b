using System.CommandLine;
using Stoa.Platform.Hosting;

namespace Stoa.Host.Verbs;

/// <summary><c>config check</c> says everything that is wrong; <c>config show</c> says what holds and where it came from.</summary>
internal static class ConfigVerb
{
    public static Command Create()
    {
        var check = new Command("check", "Name every wrong setting; exit code 78 if there is one");
        check.SetAction((_, _) => CheckAsync());
        var show = new Command("show", "List every effective setting with its source; secrets are masked");
        show.SetAction((_, _) => ShowAsync());
        return new Command("config", "Check or show the settings") { check, show };
    }

    private static async Task<int> CheckAsync()
    {
        try
        {
            await using var app = await App.BuildAsync([]);
            await Console.Out.WriteLineAsync("The settings are valid.");
            return 0;
        }
        catch (WrongSettingException wrong)
        {
            foreach (var problem in wrong.Problems)
            {
                await Console.Error.WriteLineAsync($"Wrong setting: {problem}");
            }
            return WrongSettingException.ExitCode;
        }
    }

    private static async Task<int> ShowAsync()
    {
        await using var app = await App.BuildAsync([]);
        foreach (var (key, value, source) in EffectiveSettings.List(app.Services))
        {
            await Console.Out.WriteLineAsync($"{key} = {value}  ({source})");
        }
        return 0;
    }
}
