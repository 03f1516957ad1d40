using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>
/// What Chromium is told beside Playwright's own arguments. Nothing here disguises the browser or weakens what protects it from
/// the page.
/// </summary>
internal static class ChromiumArguments
{
    /// <summary>
    /// The first two lines are ours: a process for nothing but the sound card that is not there, whose late start lets the decoders
    /// fill up; and pages that are kept ready for a user who never comes, which take 50 MiB. The others are from Playwright's own
    /// list, which this argument replaces.
    /// </summary>
    private static readonly string[] DisabledFeatures =
    [
        "AudioServiceOutOfProcess", "InitialWebUI", "WebUIReloadButton", "PreloadTopChromeWebUI", "SpareRendererForSitePerProcess",
        "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
        "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "DialMediaRouteProvider",
        "GlobalMediaControls", "HttpsUpgrades", "LensOverlay", "MediaRouter", "PaintHolding", "Translate", "OptimizationHints",
        "NetworkTimeServiceQuerying", "AimEnabled",
    ];

    public static IEnumerable<string> For(RecorderEnvironment environment)
    {
        yield return "--lang=en-US";
        yield return "--accept-lang=en-US,en";
        yield return $"--window-size={VirtualDisplay.Width},{VirtualDisplay.Height}";
        yield return "--window-position=0,0";
        // The mix has to run although nobody clicks.
        yield return "--autoplay-policy=no-user-gesture-required";
        yield return $"--disable-features={string.Join(',', DisabledFeatures)}";
        if (environment.Browser is BrowserKind.HeadlessShell)
        {
            // Nobody looks at it: no 3D drawing in software, which would take 10 MiB. Pages find no WebGL.
            yield return "--disable-gpu";
            yield return "--disable-software-rasterizer";
        }
        if (environment.LocalhostIs is { } host)
            yield return $"--host-resolver-rules=MAP localhost {host},MAP 127.0.0.1 {host}";
        if (environment.MeetingUrl is { Scheme: "http", IsLoopback: false } url)
            yield return $"--unsafely-treat-insecure-origin-as-secure={url.GetLeftPart(UriPartial.Authority)}";
    }
}
